// Finding series: first the figure, then which of its series; or both by words.

import { Refused } from "../../api/faults.ts";
import { askFound, type ExploreSeries } from "../../api/explore.ts";
import { whole } from "../../format/number.ts";
import { withUnits } from "../../format/units.ts";
import { Fault } from "../../parts/fault.tsx";
import { Icon } from "../../parts/marks.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { isText, labelText } from "../../series/groups.ts";
import { MOST_PICKED } from "../../series/picked.ts";
import type { Line } from "../../state/feed.ts";
import { speech } from "../../state/language.ts";
import { useLast, useLive } from "../../state/live.ts";
import { amend, place } from "../../state/router.ts";
import { useStore } from "../../state/store.ts";

const MOST = { keys: 200, series: 100 };
/** Keys shown above the series that the words found. */
const FEW_KEYS = 5;
const AGAIN_MS = 60_000;

export interface FinderProps {
  lines: readonly Line[];
  onPick: (lines: Line[]) => void;
}

export function Finder({ lines, onPick }: FinderProps) {
  const { texts, language, locale } = useStore(speech);
  const { query } = useStore(place);
  const words = query.get("q") ?? "";
  const key = query.get("key") ?? "";
  const asked = useLive(`found ${language} ${key} ${words}`, async (signal) => {
    return { ...(await askFound(key, words, MOST, language, signal)), key, words };
  }, AGAIN_MS);
  // Keys and series come together, and stay until others are there: nothing moves below the mouse.
  const found = useLast(asked.data);
  const shownKeys = found === null || found.key !== "" ? [] : found.keys.slice(0, found.words === "" ? MOST.keys : FEW_KEYS);
  const drawable = (found?.series ?? []).filter((one) => !isText(one));
  const picked = new Set(lines.map((line) => line.idx));
  const toggle = (one: ExploreSeries) => {
    if (picked.has(one.idxDatapoint)) onPick(lines.filter((line) => line.idx !== one.idxDatapoint));
    else onPick([...lines, { idx: one.idxDatapoint, rate: one.isCounter }]);
  };
  // With charts to look at, a small screen has no room for a list that nobody asked for.
  const resting = lines.length > 0 && key === "" && words === "";
  const empty = asked.data !== null && shownKeys.length === 0 && drawable.length === 0;
  return (
    <section class={`finder card ${resting ? "is-resting" : ""}`} aria-label={texts.find}>
      <label class="search">
        <Icon name="search" />
        <input
          type="search" value={words} placeholder={texts.findHint} aria-label={texts.find}
          onInput={(event) => amend({ q: event.currentTarget.value })}
        />
      </label>
      {key !== "" && (
        <button class="chip" onClick={() => amend({ key: undefined })}>
          {drawable.find((one) => one.key === key)?.name ?? found?.keys.find((one) => one.key === key)?.name ?? key} <Icon name="cross" />
        </button>
      )}
      <div class="found" aria-busy={asked.data === null}>
        {shownKeys.length > 0 && (
          <ul aria-label={texts.keys}>
            {shownKeys.map((one) => (
              <li key={one.key}>
                <button class="found-row" title={one.key} onClick={() => amend({ key: one.key, q: words })}>
                  <span>{one.name}</span>
                  <small>{texts.seriesCount(whole(one.series, locale), whole(one.hosts, locale))}</small>
                </button>
              </li>
            ))}
          </ul>
        )}
        {found === null && <Fault of={asked.fault} />}
        {found === null && !(asked.fault instanceof Refused) && <Skeleton rows={5} />}
        {drawable.length > 0 && (
          <ul aria-label={texts.seriesFound(whole(drawable.length, locale))}>
            {drawable.map((one) => (
              <li key={one.idxDatapoint}>
                <button
                  class="found-row is-series" aria-pressed={picked.has(one.idxDatapoint)}
                  disabled={!picked.has(one.idxDatapoint) && lines.length >= MOST_PICKED}
                  onClick={() => toggle(one)}
                >
                  <span>{[one.target, labelText(one)].filter(Boolean).join(" · ")}</span>
                  <small>{found?.key === "" ? one.name : latestOf(one, locale)}</small>
                </button>
              </li>
            ))}
          </ul>
        )}
        {(found?.series.length ?? 0) >= MOST.series && <p class="muted">{texts.moreFound(whole(MOST.series, locale))}</p>}
        {empty && <p class="muted">{texts.nothingFound}</p>}
      </div>
    </section>
  );
}

/** A counter's own value says little. */
function latestOf(series: ExploreSeries, locale: string): string {
  if (series.isCounter || series.latest === null) return series.units;
  return withUnits(series.latest, series.units, locale);
}
