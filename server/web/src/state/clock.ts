// The server's clock. Ages and ranges are reckoned by it: the clock of the
// browser's machine may be wrong.

/** A header of whole seconds is not worth a correction below this. */
const COARSE_MS = 1_500;

let offsetMs = 0;

/** Unix time at the server, milliseconds. */
export function now(): number {
  return Date.now() + offsetMs;
}

/** Takes over the server's word; `coarse` if it is of whole seconds, and may be as old as `tookMs`. */
export function serverSays(serverMs: number, coarse: boolean, tookMs = 0): void {
  if (!Number.isFinite(serverMs)) return;
  const offset = serverMs + (coarse ? 500 : 0) - Date.now();
  const ahead = offset - offsetMs;
  if (!coarse || ahead > COARSE_MS || -ahead > COARSE_MS + tookMs) offsetMs = offset;
}
