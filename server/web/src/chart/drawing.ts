// What uPlot is given for a chart: the columns, the series and the bands.

import type uPlot from "uplot";
import { aligned, lonely, stacked, together, type Points, type Row } from "../series/points.ts";
import type { ChartSpec } from "../series/charts.ts";
import type { Feed } from "../state/feed.ts";
import { lineColour, pale, type Palette } from "./palette.ts";

export interface Drawing {
  data: uPlot.AlignedData;
  /** Of each line as it is, not as it is stacked. */
  values: Row[];
  lows: (Row | null)[];
  highs: (Row | null)[];
  step: number | null;
  damaged: number;
}

const EMPTY: Points = { step: null, timestamps: [], values: [], lows: null, highs: null, damaged: [] };

/** Every line has three series in uPlot: its value, its greatest and its least. */
export const SERIES_A_LINE = 3;

/** How much of a line's colour its surfaces have. */
const STACK_SHARE = 0.75;
const AREA_SHARE = 0.14;
const BAND_SHARE = 0.14;

export function drawing(spec: ChartSpec, feed: Feed, hidden: ReadonlySet<number>): Drawing {
  const points = spec.lines.map((line) => together(line.idx.map((idx) => feed.of({ idx, rate: line.rate }) ?? EMPTY)));
  const { times, values, lows, highs } = aligned(points);
  const none: Row = [];
  const rows: Row[] = lineRows(spec, values, hidden).flatMap((row, at) => {
    const banded = !spec.stacked && !hidden.has(at);
    return [row, (banded && highs[at]) || none, (banded && lows[at]) || none];
  });
  return {
    data: [times, ...rows.map((row) => (row.length === times.length ? row : new Array<null>(times.length).fill(null)))] as uPlot.AlignedData,
    values,
    lows,
    highs,
    step: points.find((part) => part.step !== null)?.step ?? null,
    damaged: points.reduce((count, part) => count + part.damaged.length, 0),
  };
}

export function seriesOf(spec: ChartSpec, palette: Palette): { series: uPlot.Series[]; bands: uPlot.Band[] } {
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  spec.lines.forEach((line, at) => {
    const colour = lineColour(palette, at);
    const own: uPlot.Series = { stroke: colour, width: 1.5, points: { show: false, filter: dots, size: 4, fill: colour } };
    if (line.look === "area") own.fill = pale(colour, AREA_SHARE);
    if (line.look === "dashed") own.dash = [5, 4];
    if (spec.stacked) {
      own.width = 0;
      own.points = { show: false };
      if (at === 0) own.fill = pale(colour, STACK_SHARE);
      else bands.push({ series: [at * SERIES_A_LINE + 1, (at - 1) * SERIES_A_LINE + 1], fill: pale(colour, STACK_SHARE) });
    }
    const edge: uPlot.Series = { width: 0, points: { show: false } };
    series.push(own, edge, { ...edge });
    if (!spec.stacked) bands.push({ series: [at * SERIES_A_LINE + 2, at * SERIES_A_LINE + 3], fill: pale(colour, BAND_SHARE) });
  });
  return { series, bands };
}

/** A line that is hidden is empty; in a stack it adds nothing to those above it. */
function lineRows(spec: ChartSpec, values: Row[], hidden: ReadonlySet<number>): Row[] {
  if (!spec.stacked) return values.map((row, at) => (hidden.has(at) ? [] : row));
  return stacked(values.map((row, at) => (hidden.has(at) ? row.map((value) => (value == null ? value : 0)) : row)));
}

/** A point without neighbours has no line, and would not be seen. */
const dots: uPlot.Series.Points.Filter = (plot, seriesIdx) => {
  const found = lonely((plot.data[seriesIdx] ?? []) as Row);
  return found.length > 0 ? found : null;
};
