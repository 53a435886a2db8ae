// The range of time that is looked at: the last so many minutes, which moves on,
// or from one moment to another, which stays. It is held in the address; each
// zoom is a step of the browser's history, so that going back goes back.

import { retentionDays } from "../api/session.ts";
import { now } from "./clock.ts";
import { amend, place, presentAddress } from "./router.ts";

export type Range =
  | { kind: "last"; spanMs: number }
  | { kind: "between"; fromMs: number; toMs: number };

export interface Window {
  fromMs: number;
  toMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The whole retention. */
export function longestMs(): number {
  return retentionDays() * DAY_MS;
}

export const SHORTEST_MS = MINUTE_MS;
export const USUAL: Range = { kind: "last", spanMs: 6 * HOUR_MS };
/** No clock of a machine that is watched stands so late; much later there are no dates. */
const LATEST_MS = Date.UTC(2200, 0);
const UNITS: [string, number][] = [["d", DAY_MS], ["h", HOUR_MS], ["m", MINUTE_MS]];
const OFFERED = ["15m", "1h", "6h", "24h", "7d", "30d", "90d", "365d"];

/** `15m`, `6h`, `7d` in milliseconds; null for anything else. */
export function parseSpan(text: string): number | null {
  const [, number, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const size = UNITS.find(([name]) => name === unit)?.[1];
  const span = Number(number) * (size ?? Number.NaN);
  return span > 0 ? span : null;
}

export function formatSpan(spanMs: number): string {
  if (spanMs === DAY_MS) return "24h";
  for (const [name, size] of UNITS) {
    if (spanMs % size === 0) return `${spanMs / size}${name}`;
  }
  return `${Math.max(1, Math.round(spanMs / MINUTE_MS))}m`;
}

/** The spans to choose from, where figures are kept for so many days. */
export function offeredSpans(retentionDays: number): number[] {
  const whole = retentionDays * DAY_MS;
  const spans = OFFERED.map((text) => parseSpan(text) ?? 0).filter((span) => span < whole);
  return [...spans, whole];
}

export function rangeOf(query: URLSearchParams): Range {
  const [fromMs, toMs] = [Number(query.get("from") ?? ""), Number(query.get("to") ?? "")];
  if (fromMs > 0 && toMs <= LATEST_MS && toMs - fromMs >= SHORTEST_MS / 2) return { kind: "between", fromMs, toMs };
  const spanMs = parseSpan(query.get("range") ?? "");
  return spanMs === null ? USUAL : { kind: "last", spanMs };
}

/** The range as parts of an address. */
export function inAddress(range: Range): Record<string, string | undefined> {
  if (range.kind === "between") {
    return { range: undefined, from: String(Math.round(range.fromMs)), to: String(Math.round(range.toMs)) };
  }
  return { range: formatSpan(range.spanMs), from: undefined, to: undefined };
}

export function windowOf(range: Range, nowMs: number): Window {
  if (range.kind === "between") return { fromMs: range.fromMs, toMs: range.toMs };
  return { fromMs: nowMs - range.spanMs, toMs: nowMs };
}

/** Moved by a share of what is seen; back at the present it is the moving one again. */
export function panned(range: Range, share: number, nowMs: number): Range {
  const { fromMs, toMs } = windowOf(range, nowMs);
  const span = toMs - fromMs;
  const end = toMs + span * share;
  if (end >= nowMs && parseSpan(formatSpan(span)) === span) return { kind: "last", spanMs: span };
  const to = Math.min(end, nowMs);
  return { kind: "between", fromMs: Math.max(0, to - span), toMs: to };
}

/** Made longer or shorter by a factor around its middle. */
export function scaled(range: Range, factor: number, longestMs: number, nowMs: number): Range {
  const { fromMs, toMs } = windowOf(range, nowMs);
  const span = Math.min(longestMs, Math.max(SHORTEST_MS, (toMs - fromMs) * factor));
  const to = Math.min(nowMs, (fromMs + toMs) / 2 + span / 2);
  return { kind: "between", fromMs: Math.max(0, to - span), toMs: to };
}

/** Two fingers closer together than this, as a share of the width, zoom no further out. */
const CLOSE = 0.04;

/** Moved and stretched, so that what was below two fingers is where they went. */
export function pinched(window: Window, from: readonly [number, number], to: readonly [number, number], longestMs: number, nowMs: number): Range {
  const apart = ([a, b]: readonly [number, number]) => Math.max(CLOSE, Math.abs(b - a));
  const middle = ([a, b]: readonly [number, number]) => (a + b) / 2;
  const before = window.toMs - window.fromMs;
  const span = Math.min(longestMs, Math.max(SHORTEST_MS, (before * apart(from)) / apart(to)));
  const end = window.fromMs + before * middle(from) + span * (1 - middle(to));
  const toMs = Math.min(nowMs, end);
  return { kind: "between", fromMs: Math.max(0, toMs - span), toMs };
}

const depth = () => Number((history.state as { zoom?: number } | null)?.zoom ?? 0);

/** Looks closer. */
export function zoomTo(window: Window): void {
  const middle = (window.fromMs + window.toMs) / 2;
  const half = Math.max(window.toMs - window.fromMs, SHORTEST_MS) / 2;
  const range: Range = { kind: "between", fromMs: middle - half, toMs: middle + half };
  amend(inAddress(range), "push", { zoom: depth() + 1 });
}

/** Back to what was seen before the latest zoom; false if there was none. */
export function zoomBack(): boolean {
  if (depth() === 0) return false;
  presentAddress();
  history.back();
  return true;
}

export function setRange(range: Range): void {
  amend(inAddress(range));
}

export function pan(share: number): void {
  setRange(panned(rangeOf(place.get().query), share, now()));
}
