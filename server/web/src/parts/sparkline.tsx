// A line as high as a row, or two of one measure, without axes.

import type { Sparkline } from "../api/overview.ts";
import { sparkPath } from "../series/spark.ts";

const SHAPE = { width: 96, height: 24 };

export interface SparkProps {
  line: Sparkline | undefined;
  second?: Sparkline | undefined;
  fromMs: number;
  toMs: number;
  /** What reaches the upper edge at least. */
  top: number;
  label: string;
}

export function Spark({ line, second, fromMs, toMs, top, label }: SparkProps) {
  const lines = [line, second].filter((one) => one !== undefined);
  const greatest = Math.max(top, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0)));
  return (
    <svg class="spark" viewBox={`0 0 ${SHAPE.width} ${SHAPE.height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {lines.map((one) => (
        <path key={one.figure} d={sparkPath(one.timestamps, one.values, fromMs, toMs, { ...SHAPE, top: greatest })} />
      ))}
    </svg>
  );
}
