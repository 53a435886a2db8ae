// How far the value axis of a chart reaches.

import type { ChartSpec } from "../series/charts.ts";

/** Room above the greatest value. */
const HEADROOM = 1.06;

/** The ends of the value axis: whatever is there lies between them. */
export function yRange(spec: Pick<ChartSpec, "top" | "fromZero">, least: number | null, greatest: number | null): [number, number] {
  if (spec.top !== null) return [Math.min(0, least ?? 0), Math.max(spec.top, greatest ?? 0)];
  if (least === null || greatest === null) return [0, 1];
  const flat = greatest === least;
  const near = greatest - least < Math.abs(greatest) * 0.2;
  if (least >= 0 && (spec.fromZero || !near || flat)) return [0, greatest > 0 ? finite(greatest * HEADROOM) : 1];
  const room = flat ? Math.abs(greatest) * 0.1 || 1 : (greatest - least) * (HEADROOM - 1) * 2;
  return [finite(least - room), finite(greatest + room)];
}

/** An end beyond all numbers would leave nothing to draw. */
function finite(end: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, end));
}
