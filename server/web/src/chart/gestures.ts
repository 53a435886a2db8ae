// Moving a chart along by Shift and the mouse, and its cursor by a finger.

import type uPlot from "uplot";

/** `pan` is given how far the chart is moved, as a share of its width, since it began. */
export function gestures(plot: uPlot, pan: (share: number, begins: boolean) => void): () => void {
  const { over } = plot;
  const press = (event: MouseEvent) => {
    if (!event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const startX = event.clientX;
    let frame = 0;
    pan(0, true);
    over.classList.add("is-panned");
    const move = (moved: MouseEvent) => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => pan((startX - moved.clientX) / over.clientWidth, false));
    };
    const release = () => {
      over.classList.remove("is-panned");
      removeEventListener("mousemove", move);
      removeEventListener("mouseup", release);
    };
    addEventListener("mousemove", move);
    addEventListener("mouseup", release);
  };
  const touch = (event: PointerEvent) => {
    if (event.pointerType !== "touch") return;
    const box = over.getBoundingClientRect();
    plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top });
  };
  over.addEventListener("mousedown", press, { capture: true });
  over.addEventListener("pointermove", touch);
  return () => {
    over.removeEventListener("mousedown", press, { capture: true });
    over.removeEventListener("pointermove", touch);
  };
}
