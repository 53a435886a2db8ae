// The series that were picked in Explore: how the address names them, and which
// charts they make.

import type { ExploreSeries } from "../api/explore.ts";
import { keyOf, type Line } from "../state/feed.ts";
import { addressOf } from "../state/router.ts";
import type { ChartSpec } from "./charts.ts";
import { labelText } from "./groups.ts";

/** Lines in one view. */
export const MOST_PICKED = 40;

/** Lines that an address has room for. */
const MOST_IN_ADDRESS = 200;

/** `12,r14`: series 12 as it is, series 14 as a rate. Whoever draws them takes no more than `MOST_PICKED`. */
export function parsePicked(text: string): Line[] {
  const lines = new Map<string, Line>();
  for (const part of text.split(",")) {
    const [, rate, idx] = /^(r?)(\d{1,15})$/.exec(part) ?? [];
    if (idx !== undefined && !lines.has(idx)) lines.set(idx, { idx, rate: rate === "r" });
  }
  return [...lines.values()];
}

export function formatPicked(lines: readonly Line[]): string {
  return lines.map(keyOf).join(",");
}

/** The lines of a chart in Explore, over the range of this address. */
export function inExplore(chart: ChartSpec, name: string, query: URLSearchParams): string {
  const lines = chart.lines.flatMap(({ idx, rate }) => idx.map((one) => ({ idx: one, rate }))).slice(0, MOST_IN_ADDRESS);
  return addressOf("explore", new URLSearchParams([["s", formatPicked(lines)], ["name", name], ...rangePart(query)]));
}

/** All series that a host has of a key, to choose from in Explore, over the range of this address. */
export function keyInExplore(key: string, target: string, query: URLSearchParams): string {
  return addressOf("explore", new URLSearchParams([["key", key], ["q", target], ...rangePart(query)]));
}

function rangePart(query: URLSearchParams): string[][] {
  return ["range", "from", "to"].flatMap((key) => (query.get(key) === null ? [] : [[key, query.get(key) ?? ""]]));
}

/** Units as drawn. Those of counters are told per second by the server, since so they are mostly drawn. */
export function unitsOf(series: ExploreSeries, rate: boolean, perSecond: string): string {
  if (series.isCounter) return rate ? series.units : series.units.replace(/\s*\/.*$/, "");
  return rate ? `${series.units} ${perSecond}`.trim() : series.units;
}

/** A name for each series, of what tells it from the others. */
export function lineNames(all: readonly ExploreSeries[]): string[] {
  const differ = (part: (series: ExploreSeries) => string) => new Set(all.map(part)).size > 1;
  const parts = [(series: ExploreSeries) => series.target, labelText, (series: ExploreSeries) => series.name];
  const telling = parts.filter(differ);
  const chosen = telling.length > 0 ? telling : [parts[0] ?? labelText, labelText];
  return all.map((series) => chosen.map((part) => part(series)).filter((text) => text !== "").join(" · ") || series.name);
}

/** A name for each column of the lines of several charts: which figure, where a line's name does not say it, and its units. */
export function columnNames(charts: readonly ChartSpec[], known: ReadonlyMap<string, ExploreSeries>): string[] {
  return charts.flatMap((chart) =>
    chart.lines.map((line) => {
      const figure = known.get(line.idx[0] ?? "")?.name ?? chart.title;
      const name = charts.length === 1 || line.name.includes(figure) ? line.name : `${figure} · ${line.name}`;
      return chart.units === "" ? name : `${name} (${chart.units})`;
    }),
  );
}

/** A chart for each unit, in the order in which the series were picked. */
export function pickedCharts(lines: readonly Line[], known: ReadonlyMap<string, ExploreSeries>, perSecond: string): ChartSpec[] {
  const present = lines.flatMap((line) => {
    const series = known.get(line.idx);
    return series ? [{ line, series, units: unitsOf(series, line.rate, perSecond) }] : [];
  });
  return [...new Set(present.map(({ units }) => units))].map((units) => {
    const own = present.filter((one) => one.units === units);
    const names = lineNames(own.map(({ series }) => series));
    const titles = [...new Set(own.map(({ series }) => series.name))];
    return {
      id: `units ${units}`, title: titles.join(", "), units, stacked: false, top: null, fromZero: false,
      lines: own.map(({ line }, at) => ({ idx: [line.idx], rate: line.rate, name: names[at] ?? line.idx, look: "line" as const })),
    };
  });
}
