// A chart with its title and its legend. The canvas exists while it is near the
// screen; the room for it is always kept.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { whole } from "../format/number.ts";
import { duration, moment } from "../format/time.ts";
import type { ChartSpec } from "../series/charts.ts";
import { now } from "../state/clock.ts";
import type { Feed } from "../state/feed.ts";
import { speech } from "../state/language.ts";
import { longestMs, panned, pinched, rangeOf, setRange, windowOf, zoomBack, zoomTo, type Range, type Window } from "../state/range.ts";
import { place } from "../state/router.ts";
import { useStore } from "../state/store.ts";
import { colours } from "../state/theme.ts";
import { drawing, type Drawing } from "./drawing.ts";
import { gestures } from "./gestures.ts";
import { Legend, type LegendHandle } from "./legend.tsx";
import { palette } from "./palette.ts";
import { plot } from "./plot.ts";
import { useNear } from "./near.ts";

export interface ChartProps {
  spec: ChartSpec;
  feed: Feed;
  /** Charts of one name share their cursor. */
  group: string;
  height: number;
  /** Where its lines can be compared with others. */
  href?: string;
  /** Told which lines the legend hides; of a chart that goes away, none. */
  onHidden?: (hidden: ReadonlySet<number>) => void;
  /** Where the lines are that it leaves out. */
  others?: string;
}

const NONE: ReadonlySet<number> = new Set();

export function Chart({ spec, feed, group, height, href, onHidden, others }: ChartProps) {
  const { texts, locale } = useStore(speech);
  const canvas = useRef<HTMLDivElement>(null);
  const near = useNear(canvas);
  const shade = useStore(colours);
  const version = useStore(feed.version);
  const window = useStore(feed.window);
  const [hidden, setHidden] = useState(NONE);
  const made = useRef<uPlot | null>(null);
  const drawn = useRef<Drawing | null>(null);
  const legend = useRef<LegendHandle | null>(null);
  const note = useRef<HTMLParagraphElement>(null);
  const identity = JSON.stringify(spec);

  /** Tells of the place below the cursor, or without one of the latest points. */
  const show = (at: number | null) => {
    legend.current?.show(drawn.current, at);
    const time = at === null ? undefined : drawn.current?.data[0][at];
    const step = drawn.current?.step ?? null;
    const words = time !== undefined ? moment(time, locale) : step !== null ? texts.steps(duration(step / 1_000, locale)) : "";
    if (note.current && note.current.textContent !== words) note.current.textContent = words;
  };

  // As soon as it is seen: what is taken away next is without it.
  useLayoutEffect(() => {
    onHidden?.(hidden);
    return () => onHidden?.(NONE);
  }, [hidden]);

  useEffect(() => {
    if (!near) return undefined;
    return feed.hold(spec.lines.flatMap((line) => line.idx.map((idx) => ({ idx, rate: line.rate }))));
  }, [near, feed, identity]);

  useLayoutEffect(() => {
    const into = canvas.current;
    if (!near || !into) return undefined;
    drawn.current = drawing(spec, feed, hidden);
    const self = plot(into, {
      spec, locale, height, group, palette: palette(), width: into.clientWidth,
      window: feed.window.get(), data: drawn.current.data, onZoom: zoomTo, onBack: zoomBack,
      onCursor: show,
    });
    made.current = self;
    let begun: Range = { kind: "last", spanMs: 1 };
    let held: Window = feed.window.get();
    const letGo = gestures(self, {
      pan(share, begins) {
        if (begins) begun = rangeOf(place.get().query);
        else setRange(panned(begun, share, now()));
      },
      pinch(from, to, begins) {
        // One step of the history, which goes back to before.
        if (begins) zoomTo((held = windowOf(rangeOf(place.get().query), now())));
        else setRange(pinched(held, from, to, longestMs(), now()));
      },
    });
    const resized = new ResizeObserver(() => {
      if (into.clientWidth > 0 && into.clientWidth !== self.width) self.setSize({ width: into.clientWidth, height });
    });
    resized.observe(into);
    show(null);
    return () => {
      letGo();
      resized.disconnect();
      made.current = null;
      self.destroy();
    };
  }, [near, identity, locale, shade, height, group, feed]);

  useLayoutEffect(() => {
    const self = made.current;
    if (!self) return;
    drawn.current = drawing(spec, feed, hidden);
    self.setData(drawn.current.data, false);
    self.setScale("x", { min: feed.window.get().fromMs, max: feed.window.get().toMs });
    show(self.cursor.idx ?? null);
  }, [version, hidden]);

  // Moving along draws what is there, and reckons nothing anew.
  useLayoutEffect(() => {
    made.current?.setScale("x", { min: window.fromMs, max: window.toMs });
  }, [window]);

  const here = drawn.current;
  const points = spec.lines.flatMap((line) => line.idx.flatMap((idx) => feed.of({ idx, rate: line.rate }) ?? []));
  const known = points.length > 0;
  const has = points.some(({ timestamps }) => timestamps.some((time) => time >= window.fromMs && time <= window.toMs));
  return (
    <figure class="chart card" aria-label={spec.title}>
      <figcaption>
        <h3>{href === undefined ? spec.title : <a href={href} title={texts.toExplore(spec.title)}>{spec.title}</a>}</h3>
        <span class="chart-units">{spec.units}</span>
        <p class="chart-note" ref={note} title={texts.band} />
      </figcaption>
      <div class={`plot ${near && !known ? "is-waiting" : ""}`} style={{ height: `${height}px` }}>
        <div ref={canvas} />
        {near && known && !has && <p class="plot-empty">{texts.noPoints}</p>}
      </div>
      <Legend
        handle={legend}
        spec={spec}
        hidden={hidden}
        onToggle={(at) =>
          setHidden((old) => {
            const next = new Set(old);
            if (!next.delete(at)) next.add(at);
            return next;
          })
        }
      />
      {spec.cut && others !== undefined && <p class="chart-cut"><a href={others}>{texts.linesCut(whole(spec.lines.length, locale), whole(spec.cut.all, locale))}</a></p>}
      {here !== null && here.damaged > 0 && <p class="fault">{texts.damaged(String(here.damaged))}</p>}
    </figure>
  );
}
