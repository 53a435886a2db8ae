// Points of series: new ones joined to those that are there, and several series
// brought to one axis of time with their gaps.

import { usualDistance } from "./spark.ts";

export type Value = number | null;

export interface Points {
  /** Milliseconds that a point stands for; null where it is one sample. */
  step: number | null;
  timestamps: number[];
  values: Value[];
  lows: Value[] | null;
  highs: Value[] | null;
  damaged: string[];
}

/** Points further apart than so many usual distances have a gap between them. */
const GAP = 2.5;
/** Points in a row that are left something when their ends are taken off. */
const LEAST_RUN = 3;

function gapOf({ step, timestamps }: Points): number {
  return GAP * Math.max(step ?? 0, Math.min(usualDistance(timestamps), Number.MAX_SAFE_INTEGER));
}

/** What is there, cut off where the newer answer begins, and then that; nothing from before `fromMs`. */
export function joined(old: Points, newer: Points, fromMs: number): Points {
  const start = newer.timestamps[0];
  const end = start === undefined ? old.timestamps.length : lowerBound(old.timestamps, start);
  const begin = Math.min(lowerBound(old.timestamps, fromMs), end);
  const join = (a: Value[] | null, b: Value[] | null): Value[] | null =>
    a === null && b === null ? null : [...(a ?? old.values).slice(begin, end), ...(b ?? newer.values)];
  return {
    step: newer.step,
    timestamps: [...old.timestamps.slice(begin, end), ...newer.timestamps],
    values: [...old.values.slice(begin, end), ...newer.values],
    lows: join(old.lows, newer.lows),
    highs: join(old.highs, newer.highs),
    damaged: [...new Set([...old.damaged, ...newer.damaged])],
  };
}

/** Series of one thing that followed each other, as when its metadata changed. */
export function together(parts: Points[]): Points {
  const [first, ...rest] = parts.filter((part) => part.timestamps.length > 0).sort((a, b) => (a.timestamps[0] ?? 0) - (b.timestamps[0] ?? 0));
  if (!first) return parts[0] ?? { step: null, timestamps: [], values: [], lows: null, highs: null, damaged: [] };
  return rest.reduce((all, part) => joined(all, part, -Infinity), first);
}

/** The first place whose time is not before this. */
export function lowerBound(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Without the last points of a rate that stand for a time which is not over: what has grown so far is too little. */
export function finished(points: Points, nowMs: number): Points {
  const { step } = points;
  if (step === null) return points;
  const end = lowerBound(points.timestamps, nowMs - step + 1);
  if (end === points.timestamps.length) return points;
  return { ...points, timestamps: points.timestamps.slice(0, end), values: points.values.slice(0, end) };
}

/**
 * Without the points of a rate at the edges of a gap: the one before stands for a time of
 * which only a part was seen, and the one behind for the gap as well. What has nothing else
 * stays. `toMs` is the end of what was asked for.
 */
export function unbroken(points: Points, toMs: number): Points {
  const { step, timestamps } = points;
  const limit = gapOf(points);
  const starts = timestamps.flatMap((time, at) => (at === 0 || time - (timestamps[at - 1] ?? 0) > limit ? [at] : []));
  const endsEarly = toMs - (timestamps.at(-1) ?? toMs) > limit;
  if (starts.length < 2 && !endsEarly) return points;
  const kept = timestamps.map(() => true);
  starts.forEach((start, run) => {
    const end = starts[run + 1] ?? timestamps.length;
    if (end - start < LEAST_RUN) return;
    if (run > 0) kept[start] = false;
    // Between samples a rate is whole up to its time.
    if (step !== null && (run < starts.length - 1 || endsEarly)) kept[end - 1] = false;
  });
  return { ...points, timestamps: timestamps.filter((_, at) => kept[at]), values: points.values.filter((_, at) => kept[at]) };
}

/** Places of points that have no neighbour to draw a line to. */
export function lonely(row: readonly (number | null | undefined)[]): number[] {
  const found: number[] = [];
  const known = row.flatMap((value, place) => (value === undefined ? [] : [place]));
  known.forEach((place, at) => {
    const before = known[at - 1];
    const behind = known[at + 1];
    const alone = (other: number | undefined) => other === undefined || row[other] === null;
    if (row[place] !== null && alone(before) && alone(behind)) found.push(place);
  });
  return found;
}

/** One line on the common axis: null is a gap, undefined a time that is another line's. */
export type Row = (Value | undefined)[];

export interface Aligned {
  times: number[];
  values: Row[];
  lows: (Row | null)[];
  highs: (Row | null)[];
}

interface Broken {
  times: number[];
  /** Places in the points; -1 where a gap is. */
  places: number[];
}

function broken(points: Points): Broken {
  const limit = gapOf(points);
  const times: number[] = [];
  const places: number[] = [];
  let before = Infinity;
  points.timestamps.forEach((time, place) => {
    if (time - before > limit) {
      times.push(before + 1);
      places.push(-1);
    }
    times.push(time);
    places.push(place);
    before = time;
  });
  return { times, places };
}

export function aligned(lines: readonly Points[]): Aligned {
  const all = lines.map(broken);
  const times = union(all.map((line) => line.times));
  const spread = (values: readonly Value[], line: Broken): Row => {
    const row: Row = new Array(times.length);
    let at = 0;
    line.times.forEach((time, index) => {
      while ((times[at] ?? Infinity) < time) at += 1;
      const place = line.places[index] ?? -1;
      row[at] = place < 0 ? null : (values[place] ?? null);
    });
    return row;
  };
  const each = (pick: (points: Points) => Value[] | null) =>
    lines.map((points, index) => {
      const [values, line] = [pick(points), all[index]];
      return values && line ? spread(values, line) : null;
    });
  return {
    times,
    values: each((points) => points.values).map((row) => row ?? []),
    lows: each((points) => points.lows),
    highs: each((points) => points.highs),
  };
}

function union(lists: number[][]): number[] {
  const [first, ...rest] = lists;
  if (!first) return [];
  if (rest.every((list) => list.length === first.length && list.every((time, at) => time === first[at]))) return first;
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}

/** Each line on top of those before it. A time that is another line's takes the value before it. */
export function stacked(rows: readonly Row[]): Row[] {
  const base: number[] = [];
  return rows.map((row) => {
    let before: Value = null;
    return Array.from({ length: row.length }, (_, at) => {
      const own = row[at] === undefined ? before : (row[at] ?? null);
      before = own;
      base[at] = (base[at] ?? 0) + (own ?? 0);
      return own === null ? null : (base[at] ?? null);
    });
  });
}
