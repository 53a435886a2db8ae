// Whether the server answers, as the latest question showed.

import { now } from "./clock.ts";
import { Store } from "./store.ts";

export interface Silence {
  /** Unix time at the server of the first question that went unanswered. */
  sinceMs: number;
  reason: string;
}

/** Null while the server answers. */
export const silence = new Store<Silence | null>(null);

export function answered(): void {
  silence.set(null);
}

export function unanswered(reason: string): void {
  const since = silence.get()?.sinceMs ?? now();
  silence.set({ sinceMs: since, reason });
}
