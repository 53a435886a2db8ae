// Every host at a glance.

import { useEffect, useMemo, useState } from "preact/hooks";
import { askOverview, type Overview } from "../api/overview.ts";
import { session } from "../api/session.ts";
import { chosen, countStates, facets } from "../series/hosts.ts";
import { speech } from "../state/language.ts";
import { useLive } from "../state/live.ts";
import { place } from "../state/router.ts";
import { useStore } from "../state/store.ts";
import { Fault } from "../parts/fault.tsx";
import { Skeleton } from "../parts/skeleton.tsx";
import { choiceOf } from "./overview/choice.ts";
import { Hubs } from "./overview/hubs.tsx";
import { NoData } from "./overview/no_data.tsx";
import { Table } from "./overview/table.tsx";
import { Tools } from "./overview/tools.tsx";

const INTERVAL_MS = 10_000;
/** Ages grow on the screen while nothing new has come. */
const AGEING_MS = 5_000;

/** What was seen last, and by whom: who comes back sees it at once, whoever else not. */
let last: { overview: Overview; user: string | null } | null = null;

const presentUser = () => session.get()?.user?.idxUser ?? null;

async function ask(signal: AbortSignal): Promise<Overview> {
  const overview = await askOverview(signal);
  last = { overview, user: presentUser() };
  return overview;
}

export function OverviewView() {
  const { texts } = useStore(speech);
  const { query } = useStore(place);
  const { data: newest, fault } = useLive("overview", ask, INTERVAL_MS);
  const data = newest ?? (last?.user === presentUser() ? last.overview : null);
  const [, age] = useState(0);
  useEffect(() => {
    document.title = `${texts.overview} · Pattoo`;
  }, [texts]);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || age((count) => count + 1), AGEING_MS);
    return () => clearInterval(timer);
  }, []);
  const choice = useMemo(() => choiceOf(query), [query]);
  const hosts = data?.hosts;
  const shown = useMemo(() => chosen(hosts ?? [], choice), [hosts, choice]);
  const counts = useMemo(() => countStates(hosts ?? []), [hosts]);
  const labels = useMemo(() => facets(hosts ?? []), [hosts]);
  return (
    <section class="overview">
      <h1 class="unseen">{texts.overview}</h1>
      {data && data.hosts.length === 0 ? (
        <NoData hubs={data.hubs} />
      ) : (
        <>
          <Tools choice={choice} counts={counts} labels={labels} shown={shown.length} all={hosts?.length ?? null} />
          {data && <Hubs hubs={data.hubs} />}
          {data === null && <Fault of={fault} />}
          {data ? <Table hosts={shown} choice={choice} /> : <Skeleton rows={12} />}
        </>
      )}
    </section>
  );
}
