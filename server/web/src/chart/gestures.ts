// Moving a chart along by Shift and the mouse or by a finger, and looking closer by
// two. What goes up or down by a finger is the browser's: the page scrolls.

import type uPlot from "uplot";

/** Where two fingers are, from the left edge at 0 to the right one at 1. */
export type Fingers = [number, number];

export interface Moves {
  /** How far the chart is moved, as a share of its width, since it began. */
  pan(share: number, begins: boolean): void;
  /** Where the fingers began, and where they are. */
  pinch(from: Fingers, to: Fingers, begins: boolean): void;
}

/** Pixels that a finger must go sideways to move the chart. */
const SLACK = 8;

export function gestures(plot: uPlot, moves: Moves): () => void {
  const { over } = plot;
  const letGo = [byMouse(over, moves), byTouch(over, moves)];
  return () => letGo.forEach((end) => end());
}

/** Calls with the latest that there is, once a frame; `finish` does not wait for it. */
function eachFrame<T>(call: (latest: T) => void): { next: (value: T) => void; finish: () => void } {
  let frame = 0;
  let waiting: T | null = null;
  const finish = () => {
    cancelAnimationFrame(frame);
    const latest = waiting;
    waiting = null;
    if (latest !== null) call(latest);
  };
  return {
    next(value) {
      waiting = value;
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(finish);
    },
    finish,
  };
}

function byMouse(over: HTMLElement, { pan }: Moves): () => void {
  const press = (event: MouseEvent) => {
    if (!event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const startX = event.clientX;
    const frames = eachFrame((x: number) => pan((startX - x) / over.clientWidth, false));
    pan(0, true);
    over.classList.add("is-panned");
    const move = (moved: MouseEvent) => frames.next(moved.clientX);
    const release = () => {
      frames.finish();
      over.classList.remove("is-panned");
      removeEventListener("mousemove", move);
      removeEventListener("mouseup", release);
    };
    addEventListener("mousemove", move);
    addEventListener("mouseup", release);
  };
  over.addEventListener("mousedown", press, { capture: true });
  return () => over.removeEventListener("mousedown", press, { capture: true });
}

function byTouch(over: HTMLElement, { pan, pinch }: Moves): () => void {
  let began: Fingers | [number] = [0];
  let beganY = 0;
  let moving = false;
  const places = (event: TouchEvent) => {
    const { left, width } = over.getBoundingClientRect();
    return [...event.targetTouches].sort((a, b) => a.identifier - b.identifier).map((touch) => (touch.clientX - left) / width);
  };
  const frames = eachFrame((now: number[]) => {
    const [first = 0, second] = now;
    const [from, other] = began;
    if (second !== undefined && other !== undefined) pinch([from, other], [first, second], false);
    else if (second === undefined && other === undefined) pan(from - first, false);
  });
  // A finger more or less begins anew from where the others are.
  const change = (event: TouchEvent) => {
    frames.finish();
    moving = false;
    const [first, second] = places(event);
    if (first === undefined) return;
    began = second === undefined ? [first] : [first, second];
    beganY = event.targetTouches[0]?.clientY ?? 0;
    if (began.length === 1) return;
    // Two fingers are ours also when they go up or down.
    if (event.cancelable) event.preventDefault();
    moving = true;
    pinch(began, began, true);
  };
  const move = (event: TouchEvent) => {
    const now = places(event);
    const [first] = now;
    if (first === undefined) return;
    if (!moving) {
      const sideways = Math.abs(first - began[0]) * over.clientWidth;
      if (sideways < SLACK || sideways < Math.abs((event.targetTouches[0]?.clientY ?? 0) - beganY)) return;
      moving = true;
      pan(0, true);
    }
    if (event.cancelable) event.preventDefault();
    frames.next(now);
  };
  const kinds = ["touchstart", "touchend", "touchcancel"] as const;
  for (const kind of kinds) over.addEventListener(kind, change, { passive: false });
  over.addEventListener("touchmove", move, { passive: false });
  return () => {
    for (const kind of kinds) over.removeEventListener(kind, change);
    over.removeEventListener("touchmove", move);
  };
}
