// What this browser remembers of the page, where it may remember anything.

/** Null where nothing is known. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    // Denied to this page: then nothing is remembered.
    return null;
  }
}

/** Null forgets it. */
export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // As above; it holds until the page is closed.
  }
}
