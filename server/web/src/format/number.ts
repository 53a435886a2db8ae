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

/** A whole number, with its thousands apart. */
export function whole(value: number, locale: string): string {
  return formatter(locale, { maximumFractionDigits: 0 }).format(value);
}

/** So many digits behind the point, always. */
export function fixed(value: number, digits: number, locale: string): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return formatter(locale, options).format(value);
}

/** About three digits that count, and no fraction past 1,000. */
export function short(value: number, locale: string): string {
  const size = Math.abs(value);
  if (size >= 1_000) return whole(value, locale);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return formatter(locale, { maximumFractionDigits: digits }).format(value);
}
