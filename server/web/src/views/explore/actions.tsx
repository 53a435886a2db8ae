// What can be done with the view: kept as a chart, shared, taken away as CSV.

import { useState } from "preact/hooks";
import { saveChart } from "../../api/charts.ts";
import { reasonOf } from "../../api/faults.ts";
import { session } from "../../api/session.ts";
import { csv, download } from "../../format/csv.ts";
import { Icon } from "../../parts/marks.tsx";
import type { ChartSpec } from "../../series/charts.ts";
import { together } from "../../series/points.ts";
import type { Feed, Line } from "../../state/feed.ts";
import { speech } from "../../state/language.ts";
import { amend, presentAddress } from "../../state/router.ts";
import { useStore } from "../../state/store.ts";

export interface ActionsProps {
  lines: readonly Line[];
  charts: readonly ChartSpec[];
  feed: Feed;
  name: string;
}

export function Actions({ lines, charts, feed, name }: ActionsProps) {
  const { texts } = useStore(speech);
  const known = useStore(session);
  const [naming, setNaming] = useState(false);
  const [said, setSaid] = useState("");
  const [fault, setFault] = useState("");
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const chosen = String(new FormData(event.currentTarget as HTMLFormElement).get("name")).trim();
    if (chosen === "") return;
    setFault("");
    try {
      await saveChart(chosen, lines.map((line) => line.idx));
      setNaming(false);
      setSaid(texts.saved(chosen));
      amend({ name: chosen });
    } catch (reason) {
      setFault(texts.failed(reasonOf(reason) ?? ""));
    }
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(presentAddress());
      setSaid(texts.copied);
    } catch {
      // Without leave to copy, the address bar has it.
      setSaid(location.href);
    }
  };
  const takeAway = () => {
    const { fromMs, toMs } = feed.window.get();
    const shown = charts.flatMap((chart) => chart.lines.map((line) => ({ ...line, units: chart.units, title: chart.title })));
    const points = shown.map((line) => together(line.idx.flatMap((idx) => feed.of({ idx, rate: line.rate }) ?? [])));
    const names = shown.map((line) => `${line.name} (${line.units})`);
    download(`${name || "pattoo"}.csv`, csv(texts.time, names, points, fromMs, toMs));
  };
  return (
    <div class="actions">
      {naming ? (
        <form class="save-form" onSubmit={(event) => void save(event)}>
          <input name="name" required maxLength={64} autofocus placeholder={texts.chartName} aria-label={texts.chartName} defaultValue={name} />
          <button class="button primary">{texts.saveNow}</button>
          <button class="button" type="button" onClick={() => setNaming(false)}>{texts.cancel}</button>
        </form>
      ) : (
        <button class="button" disabled={known?.mayChange === false} title={known?.mayChange === false ? texts.mayNotChange : undefined} onClick={() => setNaming(true)}>
          <Icon name="save" /> {texts.save}
        </button>
      )}
      <button class="button" onClick={() => void copy()}><Icon name="link" /> {texts.copyLink}</button>
      <button class="button" title={texts.csvMeaning} onClick={takeAway}><Icon name="down" /> {texts.csv}</button>
      <span class="said" role="status">{said}</span>
      <p class="fault" role="alert">{fault}</p>
    </div>
  );
}
