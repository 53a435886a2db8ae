// One host: what it is, and its charts.

import "uplot/dist/uPlot.min.css";
import "../style/chart.css";
import "../style/host.css";
import { useEffect, useMemo } from "preact/hooks";
import { askHost, askHostSeries, type HostSeries } from "../api/host.ts";
import { Chart } from "../chart/chart.tsx";
import { Age } from "../parts/age.tsx";
import { Fault } from "../parts/fault.tsx";
import { StateName } from "../parts/marks.tsx";
import { RangeBar } from "../parts/range_bar.tsx";
import { Skeleton } from "../parts/skeleton.tsx";
import { groupsOf, isText, labelText } from "../series/groups.ts";
import type { GroupSpec } from "../series/charts.ts";
import { inExplore, keyInExplore } from "../series/picked.ts";
import { speech } from "../state/language.ts";
import { useLive } from "../state/live.ts";
import { rangeOf } from "../state/range.ts";
import { BASE, place } from "../state/router.ts";
import { useStore } from "../state/store.ts";
import { USUAL_INTERVAL_SECONDS, useFeed } from "../state/use_feed.ts";
import { Facts } from "./host/facts.tsx";

const LEAST_INTERVAL_MS = 10_000;
/** New series come seldom: a disk was plugged in. */
const SERIES_MS = 300_000;
const POINTS = 360;
const HEIGHT = 190;

export function HostView({ target }: { target: string }) {
  const { texts, language } = useStore(speech);
  const { query } = useStore(place);
  const detail = useLive(`host ${language} ${target}`, (signal) => askHost(target, language, signal).then((host) => ({ host })), LEAST_INTERVAL_MS);
  const series = useLive(`series ${language} ${target}`, (signal) => askHostSeries(target, language, signal), SERIES_MS);
  const host = detail.data?.host;
  const range = useMemo(() => rangeOf(query), [query]);
  const waits = !host && detail.fault === null;
  const feed = useFeed(range, POINTS, waits ? null : host?.intervalSeconds ?? USUAL_INTERVAL_SECONDS, target);
  const window = useStore(feed.window);
  const fault = useStore(feed.fault);
  const groups = useMemo(() => groupsOf(series.data ?? [], texts), [series.data, texts]);
  useEffect(() => {
    document.title = `${target} · Pattoo`;
  }, [target]);
  if (host === null) {
    return (
      <section class="message">
        <p>{texts.noSuchHost(target)}</p>
        <p><a class="button" href={BASE}>{texts.toOverview}</a></p>
      </section>
    );
  }
  return (
    <article class="host">
      <header class="host-head">
        <h1>{target}</h1>
        {host && <><StateName state={host.state} /><span class="muted"><Age ms={host.lastSeen} /></span></>}
        {host?.state !== "up" && host?.devices.find((device) => device.error)?.error && (
          <p class="host-error">{host.devices.find((device) => device.error)?.error}</p>
        )}
      </header>
      <Facts host={host} />
      <RangeBar window={window} />
      <Fault of={(series.data === null ? detail.fault ?? series.fault : null) ?? fault} />
      {series.data ? (
        <>
          <GroupLinks groups={groups} />
          {groups.map((group) => (
            <section key={group.id} class="group" id={`group-${group.id}`} aria-labelledby={`title-${group.id}`}>
              <h2 id={`title-${group.id}`}>{texts.group[group.id]}</h2>
              <div class="charts">
                {group.charts.map((chart) => (
                  <Chart
                    key={chart.id} spec={chart} feed={feed} group={`host ${target}`} height={HEIGHT}
                    href={inExplore(chart, `${target}: ${chart.title}`, query)}
                    {...(chart.cut && { others: keyInExplore(chart.cut.key, target, query) })}
                  />
                ))}
              </div>
            </section>
          ))}
          <LatestTexts series={series.data} />
        </>
      ) : (
        <Skeleton rows={9} kind="card" />
      )}
    </article>
  );
}

function GroupLinks({ groups }: { groups: GroupSpec[] }) {
  const { texts } = useStore(speech);
  return (
    <nav class="group-links" aria-label={texts.groupsOf}>
      {groups.map(({ id }) => (
        <button key={id} onClick={() => document.getElementById(`group-${id}`)?.scrollIntoView({ behavior: "smooth" })}>
          {texts.group[id]}
        </button>
      ))}
    </nav>
  );
}

/** Series of words have no chart. */
function LatestTexts({ series }: { series: HostSeries[] }) {
  const { texts } = useStore(speech);
  const words = series.filter(isText);
  if (words.length === 0) return null;
  return (
    <section class="group">
      <h2>{texts.group.texts}</h2>
      <dl class="facts card">
        {words.map((one) => (
          <div key={one.idxDatapoint}>
            <dt>{[one.name, labelText(one)].filter(Boolean).join(" · ")}</dt>
            <dd>{one.latestText} <small><Age ms={one.latestTimestamp} /></small></dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
