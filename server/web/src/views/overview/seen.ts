// Which rows of a long table are on the screen, or nearly.

import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { RefObject } from "preact";

/** Pixels; the style sheet has the same. */
const ROW_WIDE = 52;
const ROW_NARROW = 112;
export const NARROW = "(max-width: 880px)";
/** Rows that are drawn beyond either edge. */
const BEYOND = 6;

export interface Seen {
  first: number;
  /** One past the last. */
  end: number;
  rowHeight: number;
  /** Looks at once: who goes on by keys shall not wait for the next picture. */
  look(): void;
}

export function rowsSeen(bodyTop: number, viewHeight: number, rowHeight: number, count: number): [number, number] {
  const first = Math.floor(-bodyTop / rowHeight) - BEYOND;
  const end = Math.ceil((viewHeight - bodyTop) / rowHeight) + BEYOND;
  return [Math.min(Math.max(0, first), count), Math.min(Math.max(0, end), count)];
}

export function useSeen(body: RefObject<HTMLElement | null>, count: number): Seen {
  const [seen, setSeen] = useState<Omit<Seen, "look">>({ first: 0, end: Math.min(count, 30), rowHeight: ROW_WIDE });
  const look = () => {
    if (!body.current) return;
    const rowHeight = matchMedia(NARROW).matches ? ROW_NARROW : ROW_WIDE;
    const top = body.current.getBoundingClientRect().top;
    const [first, end] = rowsSeen(top, innerHeight, rowHeight, count);
    setSeen((old) =>
      old.first === first && old.end === end && old.rowHeight === rowHeight ? old : { first, end, rowHeight },
    );
  };
  useLayoutEffect(look, [count]);
  useEffect(() => {
    let frame = 0;
    const soon = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(look);
    };
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, [count]);
  return { ...seen, first: Math.min(seen.first, count), end: Math.min(seen.end, count), look };
}
