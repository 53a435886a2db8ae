// A feed that follows the range: live at its end, at rest elsewhere.

import { useEffect, useMemo } from "preact/hooks";
import { now } from "./clock.ts";
import { silence } from "./connection.ts";
import { Feed } from "./feed.ts";
import { live, useLast } from "./live.ts";
import { windowOf, type Range } from "./range.ts";

const LEAST_MS = 10_000;
/** Points that stand for hours do not change by the second. */
const MOST_MS = 60_000;
/** A range that lies in the past stays as it is: only what failed is asked for again. */
const PAST_MS = 120_000;
/** Charts that come into sight together are asked for together. */
const GATHER_MS = 25;

/** Between samples, where nothing says otherwise. */
export const USUAL_INTERVAL_SECONDS = 10;

/** Asks for nothing before the interval is known: with another, the same points would be asked for twice. */
export function useFeed(range: Range, points: number, intervalSeconds: number | null, name: string): Feed {
  const seconds = useLast(intervalSeconds);
  const intervalMs = Math.max(1, seconds ?? USUAL_INTERVAL_SECONDS) * 1_000;
  const feed = useMemo(() => new Feed(windowOf(range, now()), points, intervalMs), [name]);
  feed.intervalMs = intervalMs;
  const rangeKey = JSON.stringify(range);
  useEffect(() => {
    if (seconds === null) return feed.window.set(windowOf(range, now()));
    const pace = Math.max(LEAST_MS, intervalMs, Math.min(MOST_MS, (feed.step() ?? 0) / 4));
    const every = range.kind === "last" ? pace : PAST_MS;
    // Before the loop, which asks again as soon as it hears of that.
    const heard = silence.subscribe((silent) => {
      if (silent === null) feed.doubt();
    });
    const loop = live((signal) => feed.look(windowOf(range, now()), signal), every);
    let timer = 0;
    feed.onWant = () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => feed.join() || loop.now(), GATHER_MS);
    };
    return () => {
      clearTimeout(timer);
      loop.stop();
      heard();
    };
  }, [feed, rangeKey, seconds]);
  return feed;
}
