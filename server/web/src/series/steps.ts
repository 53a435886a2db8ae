// How far apart the points of a chart are.

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** From five minutes on they fit what the store has rolled up. */
const STEPS = [
  5 * SECOND_MS, 10 * SECOND_MS, 20 * SECOND_MS, 30 * SECOND_MS,
  MINUTE_MS, 2 * MINUTE_MS, 3 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS, 20 * MINUTE_MS, 30 * MINUTE_MS,
  HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS, 4 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS,
  DAY_MS, 2 * DAY_MS, 3 * DAY_MS, 7 * DAY_MS, 14 * DAY_MS, 30 * DAY_MS,
];
/** Every sample is drawn while there are no more than so many times the points wanted. */
const RAW_EXCESS = 1.5;

/** Milliseconds between points so that about so many fill the span; null: every sample. */
export function stepFor(spanMs: number, points: number, intervalMs: number): number | null {
  if (spanMs / intervalMs <= points * RAW_EXCESS) return null;
  const least = Math.max(spanMs / points, intervalMs);
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / DAY_MS) * DAY_MS;
}
