// What can be done with the view: kept as a chart, shared, taken away as CSV.

import { useState } from "preact/hooks";
import { saveChart } from "../../api/charts.ts";
import type { ExploreSeries } from "../../api/explore.ts";
import { Away } from "../../api/faults.ts";
import { session } from "../../api/session.ts";
import { csv, download } from "../../format/csv.ts";
import { Fault } from "../../parts/fault.tsx";
import { Icon } from "../../parts/marks.tsx";
import type { ChartSpec } from "../../series/charts.ts";
import { columnNames } from "../../series/picked.ts";
import { together } from "../../series/points.ts";
import { now } from "../../state/clock.ts";
import { keyOf, type Feed, type Line } from "../../state/feed.ts";
import { speech } from "../../state/language.ts";
import { rangeOf, windowOf } from "../../state/range.ts";
import { amend, place, presentAddress } from "../../state/router.ts";
import { useStore } from "../../state/store.ts";

export interface ActionsProps {
  lines: readonly Line[];
  charts: readonly ChartSpec[];
  known: ReadonlyMap<string, ExploreSeries>;
  /** The lines that the legend of each chart hides. */
  hidden: ReadonlyMap<string, ReadonlySet<number>>;
  feed: Feed;
  name: string;
}

/** For all questions of a CSV together. */
const CSV_DEADLINE_MS = 60_000;

export function Actions({ lines, charts, known: series, hidden, feed, name }: ActionsProps) {
  const { texts } = useStore(speech);
  const known = useStore(session);
  const [naming, setNaming] = useState(false);
  const [said, setSaid] = useState("");
  const [fault, setFault] = useState<unknown>(null);
  const [saving, setSaving] = useState(false);
  const [taking, setTaking] = useState(false);
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const chosen = String(new FormData(event.currentTarget as HTMLFormElement).get("name")).trim();
    if (chosen === "") return;
    setFault(null);
    setSaving(true);
    const from = place.get();
    try {
      await saveChart(chosen, lines.map((line) => line.idx));
      setNaming(false);
      setSaid(texts.saved(chosen));
      // Whoever is elsewhere by now has no use for the name there.
      const { path, query } = place.get();
      if (path === from.path && query.get("s") === from.query.get("s")) amend({ name: chosen });
    } catch (reason) {
      setFault(reason);
    }
    setSaving(false);
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
  // Asked for anew: charts hold only what is near the screen, and maybe still of another range.
  const takeAway = async () => {
    const range = windowOf(rangeOf(place.get().query), now());
    const shown = charts.map((chart) => ({ ...chart, lines: chart.lines.filter((_, at) => !hidden.get(chart.id)?.has(at)) }));
    const drawn = shown.flatMap((chart) => chart.lines);
    const wanted = drawn.flatMap((line) => line.idx.map((idx) => ({ idx, rate: line.rate })));
    const deadline = AbortSignal.timeout(CSV_DEADLINE_MS);
    setTaking(true);
    setFault(null);
    try {
      const found = await feed.read(wanted, range, deadline);
      const points = drawn.map((line) => together(line.idx.flatMap((idx) => found.get(keyOf({ idx, rate: line.rate })) ?? [])));
      download(`${name || "pattoo"}.csv`, csv(texts.time, columnNames(shown, series), points, range.fromMs, range.toMs));
    } catch (reason) {
      setFault(deadline.aborted ? new Away(`no answer within ${CSV_DEADLINE_MS / 1_000} s`) : reason);
    }
    setTaking(false);
  };
  return (
    <div class="actions">
      {naming ? (
        <form class="save-form" onSubmit={(event) => void save(event)}>
          <input name="name" required maxLength={64} autofocus placeholder={texts.chartName} aria-label={texts.chartName} defaultValue={name} />
          <button class="button primary" disabled={saving}>{texts.saveNow}</button>
          <button class="button" type="button" onClick={() => setNaming(false)}>{texts.cancel}</button>
        </form>
      ) : (
        <button class="button" disabled={known?.mayChange === false} title={known?.mayChange === false ? texts.mayNotChange : undefined} onClick={() => setNaming(true)}>
          <Icon name="save" /> {texts.save}
        </button>
      )}
      <button class="button" onClick={() => void copy()}><Icon name="link" /> {texts.copyLink}</button>
      <button class="button" title={texts.csvMeaning} disabled={taking} aria-busy={taking} onClick={() => void takeAway()}><Icon name="down" /> {texts.csv}</button>
      <span class="said" role="status">{said}</span>
      <Fault of={fault} deed />
    </div>
  );
}
