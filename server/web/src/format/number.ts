// Numbers in the reader's language. Formatters are costly to make, so they are kept.

const kept = new Map<string, Intl.NumberFormat>();

function formatter(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale + JSON.stringify(options);
  let found = kept.get(key);
  if (!found) {
    found = new Intl.NumberFormat(locale, options);
    kept.set(key, found);
  }
  return found;
}

/** From here on digits would fill the page and say nothing, and below that zeros would. */
const HUGE = 1e15;
export const TINY = 1e-6;

/** Such as `1.23E300`. */
function scientific(value: number, locale: string): string {
  return formatter(locale, { notation: "scientific", maximumSignificantDigits: 3 }).format(value);
}

/** A whole number, with its thousands apart. */
export function whole(value: number, locale: string): string {
  if (Math.abs(value) >= HUGE) return scientific(value, locale);
  return formatter(locale, { maximumFractionDigits: 0 }).format(value);
}

/** So many digits behind the point, always. */
export function fixed(value: number, digits: number, locale: string): string {
  if (Math.abs(value) >= HUGE) return scientific(value, locale);
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return formatter(locale, options).format(value);
}

/** About three digits that count, and no fraction past 1,000. */
export function short(value: number, locale: string): string {
  const size = Math.abs(value);
  if (size >= 1_000) return whole(value, locale);
  if (size > 0 && size < TINY) return scientific(value, locale);
  if (size < 0.1) return formatter(locale, { maximumSignificantDigits: 2 }).format(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return formatter(locale, { maximumFractionDigits: digits }).format(value);
}
