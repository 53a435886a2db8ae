// Waiting for what must come, with an end.

const PATIENCE_MS = 60_000;
const PAUSE_MS = 50;

export async function waitFor(what: string, holds: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${patienceMs / 1_000} s in vain: ${what}`);
    await new Promise((rest) => setTimeout(rest, PAUSE_MS));
  }
}
