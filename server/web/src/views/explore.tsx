// Any series of any agent, several on one chart. The series and the range are in the address.

import "uplot/dist/uPlot.min.css";
import "../style/chart.css";
import "../style/explore.css";
import { useEffect, useMemo } from "preact/hooks";
import { askThese } from "../api/explore.ts";
import { Chart } from "../chart/chart.tsx";
import { RangeBar } from "../parts/range_bar.tsx";
import { formatPicked, parsePicked, pickedCharts } from "../series/picked.ts";
import type { Line } from "../state/feed.ts";
import { speech } from "../state/language.ts";
import { useLast, useLive } from "../state/live.ts";
import { rangeOf } from "../state/range.ts";
import { amend, place } from "../state/router.ts";
import { useStore } from "../state/store.ts";
import { useFeed } from "../state/use_feed.ts";
import { Finder } from "./explore/finder.tsx";
import { Picked } from "./explore/picked.tsx";
import { Actions } from "./explore/actions.tsx";

const POINTS = 800;
const HEIGHT = 340;
const KNOWN_MS = 60_000;
const USUAL_INTERVAL_SECONDS = 10;

export function ExploreView() {
  const { texts, language } = useStore(speech);
  const { query } = useStore(place);
  const text = query.get("s") ?? "";
  const lines = useMemo(() => parsePicked(text), [text]);
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
  const charts = useMemo(() => pickedCharts(lines, known, texts.perSecond), [lines, known, texts]);
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
        {fault !== null && data === null && <p class="fault" role="alert">{texts.failed(fault)}</p>}
        {charts.map((chart) => (
          <Chart key={chart.id} spec={chart} feed={feed} group="explore" height={charts.length > 1 ? HEIGHT * 0.7 : HEIGHT} />
        ))}
        {charts.length > 1 && <p class="muted">{texts.unitCharts}</p>}
        {lines.length > 0 && (
          <>
            <Actions lines={lines} charts={charts} feed={feed} name={title} />
            <Picked lines={lines} known={known} onPick={pick} />
          </>
        )}
      </div>
    </article>
  );
}
