// The charts that were saved.

import "../style/explore.css";
import { useEffect, useState } from "preact/hooks";
import { askCharts, deleteChart, mark, type SavedChart } from "../api/charts.ts";
import { session } from "../api/session.ts";
import { whole } from "../format/number.ts";
import { Fault } from "../parts/fault.tsx";
import { Icon } from "../parts/marks.tsx";
import { Skeleton } from "../parts/skeleton.tsx";
import { formatPicked } from "../series/picked.ts";
import { speech } from "../state/language.ts";
import { useLive } from "../state/live.ts";
import { addressOf } from "../state/router.ts";
import { useStore } from "../state/store.ts";

const AGAIN_MS = 60_000;

export function ChartsView() {
  const { texts } = useStore(speech);
  const known = useStore(session);
  const user = known?.user?.idxUser ?? null;
  const [refusal, setRefusal] = useState<unknown>(null);
  const { data, fault, again } = useLive(`charts ${user}`, (signal) => askCharts(user, signal), AGAIN_MS);
  useEffect(() => {
    document.title = `${texts.charts} · Pattoo`;
  }, [texts]);
  const change = async (does: Promise<unknown>) => {
    setRefusal(null);
    try {
      await does;
    } catch (reason) {
      setRefusal(reason);
    }
    await again();
  };
  return (
    <section class="saved">
      <h1>{texts.charts}</h1>
      {refusal === null ? data === null && <Fault of={fault} /> : <Fault of={refusal} deed />}
      {data === null ? (
        <Skeleton rows={5} />
      ) : data.length === 0 ? (
        <p class="message">{texts.noCharts}</p>
      ) : (
        <ul>{data.map((chart) => <Saved key={chart.idxChart} chart={chart} user={user} mayChange={known?.mayChange ?? false} change={change} />)}</ul>
      )}
      {data !== null && data.length > 0 && <p class="muted">{texts.chartsOpen}</p>}
      {known && user === null && <p class="muted">{texts.signInForFavourites}</p>}
    </section>
  );
}

interface SavedProps {
  chart: SavedChart;
  user: string | null;
  mayChange: boolean;
  change: (does: Promise<unknown>) => Promise<void>;
}

function Saved({ chart, user, mayChange, change }: SavedProps) {
  const { texts, locale } = useStore(speech);
  const [sure, setSure] = useState(false);
  // Until the list is new: a second click would do what is done.
  const [busy, setBusy] = useState(false);
  const does = async (deed: () => Promise<unknown>) => {
    if (busy) return;
    setBusy(true);
    await change(deed());
    setBusy(false);
  };
  const { liked } = chart;
  const address = addressOf("explore", new URLSearchParams({ s: formatPicked(chart.lines), name: chart.name }));
  return (
    <li class="card">
      <button
        class={`quiet star ${liked ? "is-liked" : ""}`}
        aria-pressed={liked}
        aria-label={liked ? texts.unmarkFavourite(chart.name) : texts.markFavourite(chart.name)}
        title={user === null ? texts.signInForFavourites : texts.favourite}
        disabled={user === null}
        aria-busy={busy}
        onClick={() => user !== null && void does(() => mark(chart, user, !liked))}
      >
        <Icon name="star" />
      </button>
      <a class="saved-name" href={address}>{chart.name}</a>
      <span class="muted">{texts.ofSeries(whole(chart.lines.length, locale), chart.lines.length === 1)}</span>
      {mayChange && (
        <button class={`button ${sure ? "danger" : ""}`} onBlur={() => setSure(false)} onClick={() => (sure ? void does(() => deleteChart(chart.idxChart)) : setSure(true))}>
          {sure ? texts.deleteSure : texts.delete}
        </button>
      )}
    </li>
  );
}
