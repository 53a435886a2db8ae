// The outline of a sparkline, as the path of an SVG.

export interface SparkShape {
  width: number;
  height: number;
  /** What is at the top at least. */
  top: number;
}

/** Points further apart than so many usual distances have a gap between them. */
const GAP = 2.5;

/** The line of the values; missing ones break it. `fromMs` is at the left edge. */
export function sparkPath(
  timestamps: readonly number[],
  values: readonly (number | null)[],
  fromMs: number,
  toMs: number,
  shape: SparkShape,
): string {
  const top = values.reduce<number>((most, value) => Math.max(most, value ?? 0), shape.top);
  const apart = usualDistance(timestamps);
  let path = "";
  let before: number | null = null;
  for (let at = 0; at < timestamps.length; at += 1) {
    const [time, value] = [timestamps[at], values[at]];
    if (time === undefined || value === null || value === undefined) {
      before = null;
      continue;
    }
    const x = ((time - fromMs) / (toMs - fromMs)) * shape.width;
    const y = shape.height - (top > 0 ? value / top : 0) * (shape.height - 2) - 1;
    const broken = before === null || time - before > apart * GAP;
    path += `${broken ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    before = time;
  }
  return path;
}

/** The median of the distances between neighbours. */
export function usualDistance(times: readonly number[]): number {
  const distances: number[] = [];
  for (let at = 1; at < times.length; at += 1) distances.push((times[at] ?? 0) - (times[at - 1] ?? 0));
  distances.sort((a, b) => a - b);
  return distances[distances.length >> 1] ?? Infinity;
}
