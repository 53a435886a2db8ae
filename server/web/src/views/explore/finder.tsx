// Finding series: first the figure, then which of its series; or both by words.

import { askKeys, askSeries, type ExploreSeries } from "../../api/explore.ts";
import { whole } from "../../format/number.ts";
import { withUnits } from "../../format/units.ts";
import { Icon } from "../../parts/marks.tsx";
import { Skeleton } from "../../parts/skeleton.tsx";
import { isText, labelText } from "../../series/groups.ts";
import { MOST_PICKED } from "../../series/picked.ts";
import type { Line } from "../../state/feed.ts";
import { speech } from "../../state/language.ts";
import { useLive } from "../../state/live.ts";
import { amend, place } from "../../state/router.ts";
import { useStore } from "../../state/store.ts";

const MOST_SERIES = 100;
const MOST_KEYS = 200;
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
  const keys = useLive(`keys ${language} ${words}`, (signal) => askKeys(words, MOST_KEYS, language, signal), AGAIN_MS);
  const wanted = key !== "" || words !== "";
  const series = useLive(
    `found ${language} ${key} ${words}`,
    async (signal) => (wanted ? askSeries(key, words, MOST_SERIES, language, signal) : []),
    AGAIN_MS,
  );
  const shownKeys = key !== "" ? [] : (keys.data ?? []).slice(0, words === "" ? MOST_KEYS : FEW_KEYS);
  const drawable = (series.data ?? []).filter((one) => !isText(one));
  const picked = new Set(lines.map((line) => line.idx));
  const toggle = (one: ExploreSeries) => {
    if (picked.has(one.idxDatapoint)) onPick(lines.filter((line) => line.idx !== one.idxDatapoint));
    else onPick([...lines, { idx: one.idxDatapoint, rate: one.isCounter }]);
  };
  const empty = keys.data !== null && series.data !== null && shownKeys.length === 0 && drawable.length === 0;
  return (
    <section class="finder card" aria-label={texts.find}>
      <label class="search">
        <Icon name="search" />
        <input
          type="search" value={words} placeholder={texts.findHint} aria-label={texts.find}
          onInput={(event) => amend({ q: event.currentTarget.value })}
        />
      </label>
      {key !== "" && (
        <button class="chip" onClick={() => amend({ key: undefined })}>
          {keys.data?.find((one) => one.key === key)?.name ?? key} <Icon name="cross" />
        </button>
      )}
      <div class="found">
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
        {wanted && series.data === null && <Skeleton rows={5} />}
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
                  <small>{key === "" ? one.name : latestOf(one, locale)}</small>
                </button>
              </li>
            ))}
          </ul>
        )}
        {drawable.length >= MOST_SERIES && <p class="muted">{texts.moreFound(whole(MOST_SERIES, locale))}</p>}
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
