// Values with their units, as people read them. Units come from the server's
// translations, such as `bytes / second`; what is known gets a prefix, what is not
// is shown as it is.

import { duration, moment } from "./time.ts";
import { fixed, short, TINY } from "./number.ts";

const SI = ["", "k", "M", "G", "T", "P", "E"];
const IEC = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/** Whole seconds above this read better as minutes, hours and days. */
const LONG_SECONDS = 120;
/** From here on an axis has no room for whole numbers. */
const MANY = 1_000_000;
/** Seconds that no calendar of the browser reaches, and no span is told in days of. */
const LAST_MOMENT = 8.64e12;

type Kind =
  | { kind: "percent" }
  /** `base` is 1,024 for what is stored and 1,000 for what flows. */
  | { kind: "prefixed"; base: 1_000 | 1_024; unit: string }
  | { kind: "seconds" }
  | { kind: "moment" }
  | { kind: "plain"; unit: string };

/** What units mean; `second` and `segundo` alike. */
export function kindOf(units: string): Kind {
  const [what = "", per] = units.split("/").map((part) => part.trim());
  const perSecond = per !== undefined && /^(s|sec|second|segundo)s?$/i.test(per);
  if (what === "%" && per === undefined) return { kind: "percent" };
  if (what === "%" && perSecond) return { kind: "plain", unit: "%/s" };
  if (/^(bytes?|octetos?)$/i.test(what)) {
    if (perSecond) return { kind: "prefixed", base: 1_000, unit: "B/s" };
    return { kind: "prefixed", base: 1_024, unit: "B" };
  }
  if (perSecond) {
    if (/^(milliseconds|milisegundos)$/i.test(what)) return { kind: "plain", unit: "ms/s" };
    return { kind: "prefixed", base: 1_000, unit: "/s" };
  }
  if (/^(seconds|segundos)$/i.test(units)) return { kind: "seconds" };
  if (/^(seconds|segundos) .*1970$/i.test(units)) return { kind: "moment" };
  return { kind: "plain", unit: units };
}

/** Which prefix fits: none past the last, where the number itself tells its size. */
function power(value: number, base: number): number {
  const size = Math.abs(value);
  if (size >= base ** SI.length * 0.9995) return 0;
  let found = 0;
  while (found < SI.length - 1 && size >= 999.5 * base ** found && size >= base ** (found + 1) * 0.9995) found += 1;
  return found;
}

/** Such as `MB/s`; a rate of things has no name to put a prefix to: `k/s`. */
function prefixed(base: number, by: number, unit: string): string {
  return `${(base === 1_024 ? IEC : SI)[by] ?? ""}${unit}`;
}

function span(seconds: number, locale: string): string {
  if (Math.abs(seconds) > LAST_MOMENT) return `${short(seconds, locale)} s`;
  return seconds < 0 ? `-${duration(-seconds, locale)}` : duration(seconds, locale);
}

function momentOf(seconds: number, locale: string): string {
  return Math.abs(seconds) > LAST_MOMENT ? `${short(seconds, locale)} s` : moment(seconds * 1_000, locale);
}

/** A value with its units. */
export function withUnits(value: number, units: string, locale: string): string {
  const kind = kindOf(units);
  switch (kind.kind) {
    case "percent":
      return `${fixed(value, Math.abs(value) >= 99.95 ? 0 : 1, locale)} %`;
    case "prefixed": {
      const by = power(value, kind.base);
      return `${short(value / kind.base ** by, locale)} ${prefixed(kind.base, by, kind.unit)}`;
    }
    case "seconds":
      return Math.abs(value) >= LONG_SECONDS ? span(value, locale) : `${short(value, locale)} s`;
    case "moment":
      return momentOf(value, locale);
    case "plain":
      return `${short(value, locale)} ${kind.unit}`.trimEnd();
  }
}

/** The values beside an axis, all with the prefix of the greatest. */
export function axisTexts(values: readonly (number | null)[], units: string, locale: string): string[] {
  const kind = kindOf(units);
  const greatest = Math.max(0, ...values.map((value) => Math.abs(value ?? 0)));
  const each = (text: (value: number) => string) => values.map((value) => (value === null ? "" : text(value)));
  if (kind.kind === "moment") return each((value) => momentOf(value, locale));
  if (kind.kind === "seconds" && greatest >= LONG_SECONDS) return each((value) => span(value, locale));
  const base = kind.kind === "prefixed" ? kind.base : 1_000;
  // A `k` without units, or before those of which nothing is known, would have to be guessed.
  const isWhole = kind.kind === "percent" || (kind.kind === "plain" && greatest < MANY);
  const by = isWhole ? 0 : power(greatest, base);
  const size = base ** by;
  const digits = fractionDigits(values.map((value) => (value ?? 0) / size));
  const tail = tailOf(kind, by);
  const number = (value: number) => (greatest < TINY ? short(value, locale) : fixed(value / size, digits, locale));
  return each((value) => number(value) + (value === 0 ? "" : tail));
}

/** What stands behind the numbers of an axis. */
function tailOf(kind: Kind, by: number): string {
  if (kind.kind === "percent") return " %";
  if (kind.kind === "prefixed") return ` ${prefixed(kind.base, by, kind.unit)}`;
  return by > 0 ? ` ${SI[by]}` : "";
}

/** Digits behind the point that tell the values of an axis apart. */
function fractionDigits(values: readonly number[]): number {
  const greatest = Math.max(...values.map(Math.abs));
  const near = 1e-9 * Math.min(1, greatest);
  const exact = (digits: number) => values.every((value) => Math.abs(value - Number(value.toFixed(digits))) <= near);
  // What is small has its first digit further behind.
  const most = greatest > TINY && greatest < 0.1 ? 3 - Math.floor(Math.log10(greatest)) : 3;
  return Array.from({ length: most }, (_, digits) => digits).find(exact) ?? most;
}

/** The steps of an axis of spans, in seconds: up to a year. */
const SPANS = [
  1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200,
  ...[1, 2, 5, 10, 20, 50, 100, 200, 365, 1_000].map((days) => days * 86_400),
];

/** The steps that an axis of these units may have. */
export function increments(units: string): number[] | undefined {
  const kind = kindOf(units);
  if (kind.kind === "seconds") return SPANS;
  if (kind.kind !== "prefixed" || kind.base !== 1_024) return undefined;
  const steps = [];
  for (let power = 0; power <= 6; power += 1) {
    for (const step of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]) steps.push(step * 1_024 ** power);
  }
  return steps;
}
