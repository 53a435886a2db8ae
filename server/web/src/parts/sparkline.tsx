// A line as high as a row, without axes.

import type { Sparkline } from "../api/overview.ts";
import { sparkPath } from "../series/spark.ts";

const SHAPE = { width: 96, height: 24 };

export interface SparkProps {
  line: Sparkline | undefined;
  fromMs: number;
  toMs: number;
  /** What reaches the upper edge at least. */
  top: number;
  label: string;
}

export function Spark({ line, fromMs, toMs, top, label }: SparkProps) {
  const path = line ? sparkPath(line.timestamps, line.values, fromMs, toMs, { ...SHAPE, top }) : "";
  return (
    <svg class="spark" viewBox={`0 0 ${SHAPE.width} ${SHAPE.height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path d={path} />
    </svg>
  );
}
