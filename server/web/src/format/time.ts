// Moments, ages and spans in the reader's language.

import { whole } from "./number.ts";

const kept = new Map<string, Intl.DateTimeFormat>();

function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  let found = kept.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, options);
    kept.set(key, found);
  }
  return found;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const UNITS: [string, number][] = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];

/** A date and a time of day, to the second. */
export function moment(ms: number, locale: string): string {
  return formatter(locale, { dateStyle: "medium", timeStyle: "medium" }).format(ms);
}

/** A time of day; with its date if that is not `today`'s. */
export function clock(ms: number, todayMs: number, locale: string): string {
  const day = formatter(locale, { dateStyle: "short" });
  if (day.format(ms) === day.format(todayMs)) return formatter(locale, { timeStyle: "medium" }).format(ms);
  return formatter(locale, { dateStyle: "medium", timeStyle: "short" }).format(ms);
}

/** Seconds in the greatest units that fit, two of them unless told: `3 d 4 h`. */
export function duration(seconds: number, locale: string, most = 2): string {
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [name, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${whole(count, locale)} ${name}`);
    else if (parts.length > 0) break;
    if (parts.length === most) break;
  }
  return parts.length === 0 ? "0 s" : parts.join(" ");
}

/** From one moment to another, with no more said than is needed. */
export function span(fromMs: number, toMs: number, locale: string): string {
  const seconds = toMs - fromMs < 10 * MINUTE_MS;
  const options: Intl.DateTimeFormatOptions = {
    year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
  };
  return formatter(locale, options).formatRange(fromMs, toMs);
}

/** What stands below a time axis whose marks are so many milliseconds apart. */
export function axisTimes(marksMs: readonly number[], apartMs: number, locale: string): string[] {
  const time = formatter(locale, apartMs < MINUTE_MS ? { timeStyle: "medium" } : { timeStyle: "short" });
  const day = formatter(locale, { day: "numeric", month: "short" });
  const month = formatter(locale, { month: "short", year: "numeric" });
  return marksMs.map((ms) => {
    const at = new Date(ms);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0;
    if (apartMs >= 27 * DAY_MS) return month.format(at);
    if (apartMs >= DAY_MS * 0.95 || midnight) return day.format(at);
    return time.format(at);
  });
}
