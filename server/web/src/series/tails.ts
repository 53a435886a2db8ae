// What a live chart asks for: not all of its window again, but what may have come
// since the last point that it holds.

import type { Points } from "./points.ts";

export interface Tail<Line> {
  line: Line;
  fromMs: number;
}

export interface Question<Line> {
  lines: Line[];
  fromMs: number;
}

/** Lines silent for so many times as long as others are not asked for together with these. */
const SILENT = 4;

/**
 * From where a line is asked for anew: a little before its last point, for more samples
 * may have come to that. A line that is silent is asked for from where it fell silent:
 * what a hub kept meanwhile may come at any time.
 */
export function tailFrom(points: Points, fromMs: number, toMs: number, againMs: number): number {
  const last = points.timestamps.at(-1) ?? -Infinity;
  return Math.max(fromMs, Math.min(last, toMs) - againMs);
}

/** Questions of at most so many lines, each from the earliest time that one of them wants. */
export function gathered<Line>(tails: readonly Tail<Line>[], toMs: number, most: number): Question<Line>[] {
  const questions: Question<Line>[] = [];
  for (const { line, fromMs } of [...tails].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = questions.at(-1);
    if (last && last.lines.length < most && toMs - last.fromMs <= SILENT * (toMs - fromMs)) last.lines.push(line);
    else questions.push({ lines: [line], fromMs });
  }
  return questions;
}
