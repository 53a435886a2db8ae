// Work that is done again and again: at an interval while it succeeds, with
// growing pauses while the server is away, and not at all while nobody looks.

import { useEffect, useRef, useState } from "preact/hooks";
import { Away, reasonOf } from "../api/faults.ts";
import { silence } from "./connection.ts";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** The pause after so many failures in a row, before its jitter. */
export function pauseMs(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1));
}

export interface Live {
  /** Does the work now, and goes on from there. Resolves when it is done, or failed. */
  now(): Promise<void>;
  stop(): void;
}

export function live(work: (signal: AbortSignal) => Promise<void>, intervalMs: number): Live {
  let timer = 0;
  let failures = 0;
  let dueMs = 0;
  let running: AbortController | null = null;
  let stopped = false;

  const wait = (ms: number) => {
    dueMs = performance.now() + ms;
    clearTimeout(timer);
    if (!document.hidden) timer = window.setTimeout(run, ms);
  };
  const run = async () => {
    if (stopped) return;
    running?.abort();
    const own = new AbortController();
    running = own;
    clearTimeout(timer);
    try {
      await work(own.signal);
      failures = 0;
    } catch (fault) {
      if (own.signal.aborted) return;
      failures += fault instanceof Away ? 1 : 0;
    }
    if (running !== own || stopped) return;
    running = null;
    wait(failures > 0 ? pauseMs(failures) * (0.8 + 0.4 * Math.random()) : intervalMs);
  };
  const look = () => {
    if (document.hidden) clearTimeout(timer);
    else if (!running) wait(Math.max(0, dueMs - performance.now()));
  };
  // Another part of the page saw the server answer again.
  const unsubscribe = silence.subscribe((silent) => {
    if (silent === null && failures > 0 && !running && !document.hidden) void run();
  });
  document.addEventListener("visibilitychange", look);
  void run();
  return {
    now: run,
    stop() {
      stopped = true;
      clearTimeout(timer);
      running?.abort();
      unsubscribe();
      document.removeEventListener("visibilitychange", look);
    },
  };
}

export interface Known<T> {
  /** What the server said last; null before the first answer. */
  data: T | null;
  /** What the latest question failed with; null if it did not. */
  fault: unknown;
  /** Asks again at once. Resolves when that is answered, or failed. */
  again(): Promise<void>;
}

/** The last that was there: what is drawn stays until the answer to another question comes. */
export function useLast<T>(data: T | null): T | null {
  const last = useRef<T | null>(null);
  if (data !== null) last.current = data;
  return last.current;
}

/** What a question is answered, asked anew each interval. A change of `key` makes it another question. */
export function useLive<T>(
  key: string,
  ask: (signal: AbortSignal) => Promise<T>,
  intervalMs: number,
): Known<T> {
  const [known, setKnown] = useState<{ key: string; data: T | null; fault: unknown }>({
    key,
    data: null,
    fault: null,
  });
  const latest = useRef(ask);
  latest.current = ask;
  const loop = useRef<Live | null>(null);
  useEffect(() => {
    const work = async (signal: AbortSignal) => {
      try {
        const data = await latest.current(signal);
        if (!signal.aborted) setKnown({ key, data, fault: null });
      } catch (fault) {
        if (reasonOf(fault) !== null && !signal.aborted) {
          setKnown((old) => ({ key, data: old.key === key ? old.data : null, fault }));
        }
        throw fault;
      }
    };
    loop.current = live(work, intervalMs);
    return () => loop.current?.stop();
  }, [key, intervalMs]);
  const again = async () => loop.current?.now();
  return known.key === key
    ? { data: known.data, fault: known.fault, again }
    : { data: null, fault: null, again };
}
