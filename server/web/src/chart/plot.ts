// uPlot, set up as every chart of the page has it.

import uPlot from "uplot";
import { axisTexts, increments } from "../format/units.ts";
import { axisTimes } from "../format/time.ts";
import type { ChartSpec } from "../series/charts.ts";
import type { Window } from "../state/range.ts";
import { SERIES_A_LINE, seriesOf } from "./drawing.ts";
import { lineColour, type Palette } from "./palette.ts";
import { yRange } from "./scale.ts";

const AXIS_WIDTH = 62;
const FONT = "11px system-ui, sans-serif";
/** Pixels that a drag must go to be one. */
const DRAG = 6;

export interface PlotOptions {
  spec: ChartSpec;
  palette: Palette;
  locale: string;
  width: number;
  height: number;
  /** Charts of one name share their cursor. */
  group: string;
  window: Window;
  data: uPlot.AlignedData;
  onZoom: (window: Window) => void;
  onBack: () => void;
  onCursor: (place: number | null) => void;
}

export function plot(into: HTMLElement, options: PlotOptions): uPlot {
  const { spec, palette, locale } = options;
  const { series, bands } = seriesOf(spec, palette);
  const axis = { stroke: palette.text, font: FONT, ticks: { show: false }, grid: { stroke: palette.grid, width: 1 } };
  const steps = increments(spec.units);
  return new uPlot(
    {
      width: options.width,
      height: options.height,
      ms: 1,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      series,
      bands,
      scales: {
        x: { time: true, auto: false, min: options.window.fromMs, max: options.window.toMs },
        y: { range: (_, least, greatest) => yRange(spec, least, greatest) },
      },
      axes: [
        {
          ...axis, size: 28, gap: 8, space: 76,
          values: (_, splits, _axis, _space, apart) => axisTimes(splits, apart, locale),
        },
        {
          ...axis, size: AXIS_WIDTH, space: 34, ...(steps ? { incrs: steps } : {}),
          values: (_, splits) => axisTexts(splits, spec.units, locale),
        },
      ],
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: DRAG },
        // The cursor is shared; a drag zooms once, from the chart where it was made.
        sync: { key: options.group, setSeries: false, scales: ["x", null], filters: { pub: isOfCursor } },
        points: { show: (_, at) => cursorPoint(at, palette), width: 0 },
        bind: {
          dblclick: () => () => {
            options.onBack();
            return null;
          },
        },
      },
      hooks: {
        setCursor: [(self) => options.onCursor(self.cursor.idx ?? null)],
        setSelect: [
          (self) => {
            const { left, width } = self.select;
            if (width < DRAG) return;
            const window = { fromMs: self.posToVal(left, "x"), toMs: self.posToVal(left + width, "x") };
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            options.onZoom(window);
          },
        ],
      },
    },
    options.data,
    into,
  );
}

function isOfCursor(type: string): boolean {
  return type === "mousemove" || type === "mouseleave";
}

function cursorPoint(at: number, palette: Palette): HTMLElement {
  const point = document.createElement("div");
  point.className = "u-cursor-pt";
  if (at === 0 || (at - 1) % SERIES_A_LINE !== 0) {
    point.hidden = true;
    return point;
  }
  const colour = lineColour(palette, (at - 1) / SERIES_A_LINE);
  point.style.background = colour;
  point.style.width = "7px";
  point.style.height = "7px";
  point.style.margin = "-3.5px 0 0 -3.5px";
  return point;
}
