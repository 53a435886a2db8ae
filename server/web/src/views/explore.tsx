// Any series of any agent, several on one chart. The series and the range are in the address.

import "uplot/dist/uPlot.min.css";
import "../style/chart.css";
import "../style/explore.css";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { askThese } from "../api/explore.ts";
import { Chart } from "../chart/chart.tsx";
import { whole } from "../format/number.ts";
import { Fault } from "../parts/fault.tsx";
import { RangeBar } from "../parts/range_bar.tsx";
import { formatPicked, MOST_PICKED, parsePicked, pickedCharts } from "../series/picked.ts";
import type { Line } from "../state/feed.ts";
import { speech } from "../state/language.ts";
import { useLast, useLive } from "../state/live.ts";
import { rangeOf } from "../state/range.ts";
import { amend, place } from "../state/router.ts";
import { useStore } from "../state/store.ts";
import { USUAL_INTERVAL_SECONDS, useFeed } from "../state/use_feed.ts";
import { Finder } from "./explore/finder.tsx";
import { Picked } from "./explore/picked.tsx";
import { Actions } from "./explore/actions.tsx";

const POINTS = 800;
const HEIGHT = 340;
const KNOWN_MS = 60_000;

export function ExploreView() {
  const { texts, language, locale } = useStore(speech);
  const { query } = useStore(place);
  const text = query.get("s") ?? "";
  const wanted = useMemo(() => parsePicked(text), [text]);
  const lines = useMemo(() => wanted.slice(0, MOST_PICKED), [wanted]);
  const numbers = lines.map((line) => line.idx).sort().join(",");
  const { data, fault } = useLive(
    `these ${language} ${numbers}`,
    (signal) => askThese(numbers === "" ? [] : numbers.split(","), language, signal),
    KNOWN_MS,
  );
  const last = useLast(data);
  const known = useMemo(() => new Map((last ?? []).map((series) => [series.idxDatapoint, series])), [last]);
  const range = useMemo(() => rangeOf(query), [query]);
  const feed = useFeed(range, POINTS, USUAL_INTERVAL_SECONDS, "explore");
  const window = useStore(feed.window);
  const pointsFault = useStore(feed.fault);
  const charts = useMemo(() => pickedCharts(lines, known, texts.perSecond), [lines, known, texts]);
  const hidden = useRef(new Map<string, ReadonlySet<number>>());
  const title = query.get("name") ?? "";
  useEffect(() => {
    document.title = `${title || texts.explore} · Pattoo`;
  }, [title, texts]);
  const pick = (next: Line[]) => amend({ s: formatPicked(next) });
  return (
    <article class="explore">
      <Finder lines={lines} onPick={pick} />
      <div class="explore-main">
        <h1>{title || texts.explore}</h1>
        <RangeBar window={window} />
        {lines.length === 0 && <p class="message">{texts.chooseSome}</p>}
        <Fault of={(data === null ? fault : null) ?? pointsFault} />
        {charts.map((chart) => (
          <Chart
            key={chart.id} spec={chart} feed={feed} group="explore" height={charts.length > 1 ? HEIGHT * 0.7 : HEIGHT}
            onHidden={(lines) => hidden.current.set(chart.id, lines)}
          />
        ))}
        {charts.length > 1 && <p class="muted">{texts.unitCharts}</p>}
        {wanted.length > lines.length && <p class="muted picked-cut">{texts.pickedCut(whole(MOST_PICKED, locale), whole(wanted.length, locale))}</p>}
        {lines.length > 0 && (
          <>
            <Actions lines={lines} charts={charts} known={known} hidden={hidden.current} feed={feed} name={title} />
            <Picked lines={lines} known={known} onPick={pick} />
          </>
        )}
      </div>
    </article>
  );
}
