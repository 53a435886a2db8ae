// The time range of the charts below it: chosen, moved, and made longer or shorter.

import { useEffect } from "preact/hooks";
import { retentionDays, session } from "../api/session.ts";
import { span } from "../format/time.ts";
import { now } from "../state/clock.ts";
import { speech } from "../state/language.ts";
import {
  formatSpan, longestMs, offeredSpans, pan, rangeOf, scaled, setRange, windowOf, zoomBack, zoomTo, type Range, type Window,
} from "../state/range.ts";
import { place } from "../state/router.ts";
import { useStore } from "../state/store.ts";
import { Icon, type IconName } from "./marks.tsx";

const PAN = 0.25;
const ZOOM = 0.5;
const DAY_MS = 86_400_000;

function closer(): void {
  zoomTo(windowOf(scaled(rangeOf(place.get().query), ZOOM, longestMs(), now()), now()));
}

function wider(): void {
  setRange(scaled(rangeOf(place.get().query), 1 / ZOOM, longestMs(), now()));
}

/** The moving range of the same length, as near as it can be named. */
function goLive(): void {
  const range = rangeOf(place.get().query);
  const { fromMs, toMs } = windowOf(range, now());
  const spans = offeredSpans(longestMs() / DAY_MS);
  const spanMs = spans.find((one) => one >= (toMs - fromMs) * 0.99) ?? longestMs();
  setRange({ kind: "last", spanMs });
}

const KEYS: Record<string, () => unknown> = {
  ArrowLeft: () => pan(-PAN),
  ArrowRight: () => pan(PAN),
  "+": closer,
  "-": wider,
  Escape: zoomBack,
  l: goLive,
};

export function RangeBar({ window }: { window: Window }) {
  const { texts, locale } = useStore(speech);
  const { query } = useStore(place);
  useStore(session);
  const range = rangeOf(query);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as Element | null)?.closest?.("input, select, textarea, [role=row]")) return;
      const does = KEYS[event.key];
      if (!does) return;
      event.preventDefault();
      does();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  const days = retentionDays();
  const spans = offeredSpans(days);
  const name = (spanMs: number) => (spanMs === days * DAY_MS ? texts.everything : texts.spanName(formatSpan(spanMs)));
  const chosen = (spanMs: number) => range.kind === "last" && range.spanMs === spanMs;
  const button = (icon: IconName, label: string, does: () => unknown) => (
    <button class="quiet" aria-label={label} title={label} onClick={() => void does()}><Icon name={icon} /></button>
  );
  return (
    <div class="range-bar" role="toolbar" aria-label={texts.range}>
      <div class="choice spans" role="group" aria-label={texts.range}>
        {spans.map((spanMs) => (
          <button key={spanMs} aria-pressed={chosen(spanMs)} onClick={() => setRange({ kind: "last", spanMs })}>
            {name(spanMs)}
          </button>
        ))}
      </div>
      <select class="spans-select" aria-label={texts.range} value={selected(range, spans)} onChange={(event) => setRange({ kind: "last", spanMs: Number(event.currentTarget.value) })}>
        {selected(range, spans) === "" && <option value="">…</option>}
        {spans.map((spanMs) => <option key={spanMs} value={spanMs}>{texts.lastSpan(name(spanMs))}</option>)}
      </select>
      <div class="range-moves">
        {button("left", texts.earlier, () => pan(-PAN))}
        {button("right", texts.later, () => pan(PAN))}
        {button("closer", texts.closer, closer)}
        {button("wider", texts.wider, wider)}
        {button("back", texts.back, zoomBack)}
      </div>
      {range.kind === "last" ? (
        <span class="live is-live" title={texts.liveMeaning}>{texts.live}</span>
      ) : (
        <button class="live" onClick={goLive}>{texts.goLive}</button>
      )}
      <span class={`range-text ${range.kind === "between" ? "is-fixed" : ""}`}>{span(window.fromMs, window.toMs, locale)}</span>
      <details class="keys">
        <summary class="quiet" aria-label={texts.helpTitle} title={texts.helpTitle}>?</summary>
        <p>{texts.help}</p>
      </details>
    </div>
  );
}

function selected(range: Range, spans: number[]): string {
  return range.kind === "last" && spans.includes(range.spanMs) ? String(range.spanMs) : "";
}
