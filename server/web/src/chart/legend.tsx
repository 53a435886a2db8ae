// The lines of a chart by name, with their values at the cursor, or the latest ones.
// The values are written straight to the page: they change with every move of the
// mouse, in every chart.

import type { RefObject } from "preact";
import { useImperativeHandle, useRef } from "preact/hooks";
import { withUnits } from "../format/units.ts";
import type { ChartSpec } from "../series/charts.ts";
import type { Row } from "../series/points.ts";
import { speech } from "../state/language.ts";
import { useStore } from "../state/store.ts";
import type { Drawing } from "./drawing.ts";
import { lineClass } from "./palette.ts";

export interface LegendHandle {
  /** Shows the values at this place of the drawing; null for the latest. */
  show(drawing: Drawing | null, place: number | null): void;
}

export interface LegendProps {
  spec: ChartSpec;
  hidden: ReadonlySet<number>;
  onToggle: (line: number) => void;
  handle: RefObject<LegendHandle | null>;
}

const NO_VALUE = "–";

export function Legend({ spec, hidden, onToggle, handle }: LegendProps) {
  const { texts, locale } = useStore(speech);
  const list = useRef<HTMLUListElement>(null);
  const show = (drawing: Drawing | null, place: number | null) => {
    const values = list.current?.querySelectorAll<HTMLElement>(".legend-value") ?? [];
    values.forEach((element, at) => {
      const value = drawing ? valueAt(drawing.values[at], place) : null;
      let text = value === null ? NO_VALUE : withUnits(value, spec.units, locale);
      // Beside several lines there is no room for the ends of their bands.
      const [low, high] = place === null || spec.lines.length > 1 ? [null, null] : [drawing?.lows[at]?.[place], drawing?.highs[at]?.[place]];
      if (low != null && high != null && low !== high) {
        text += ` (${withUnits(low, spec.units, locale)} – ${withUnits(high, spec.units, locale)})`;
      }
      if (element.textContent !== text) element.textContent = text;
    });
  };
  useImperativeHandle(handle, () => ({ show }), [spec, locale]);
  return (
    <ul class="legend" ref={list}>
      {spec.lines.map((line, at) => (
        <li key={line.idx[0]}>
          <button aria-pressed={!hidden.has(at)} aria-label={texts.showLine(line.name)} title={line.name} onClick={() => onToggle(at)}>
            <span class={`swatch is-${line.look} ${lineClass(at)}`} aria-hidden="true" />
            <span class="legend-name">{line.name}</span>
          </button>
          <span class="legend-value">{NO_VALUE}</span>
        </li>
      ))}
    </ul>
  );
}

/** The value at a place, or the last one; a time that is another line's takes the value before it. */
function valueAt(row: Row | undefined, place: number | null): number | null {
  if (!row) return null;
  let at = place ?? row.length - 1;
  while (at > 0 && (row[at] === undefined || (place === null && row[at] === null))) at -= 1;
  return row[at] ?? null;
}
