// A host in the table: its state, its figures, and their last hour.

import type { OverviewHost } from "../../api/overview.ts";
import { fixed } from "../../format/number.ts";
import { withUnits } from "../../format/units.ts";
import { Age } from "../../parts/age.tsx";
import { StateName } from "../../parts/marks.tsx";
import { Spark } from "../../parts/sparkline.tsx";
import { speech } from "../../state/language.ts";
import { BASE, hostPath } from "../../state/router.ts";
import type { Sparks } from "../../state/sparklines.ts";
import { useStore } from "../../state/store.ts";

export interface RowProps {
  host: OverviewHost;
  /** From 0, among the rows of the table. */
  place: number;
  top: number;
  sparks: Sparks | undefined;
  fromMs: number;
  toMs: number;
}

const RATE = "bytes / second";
/** A file system this full wants attention, in percent. */
const FULL = 90;

export function Row({ host, place, top, sparks, fromMs, toMs }: RowProps) {
  const { texts, locale } = useStore(speech);
  const times = { fromMs, toMs };
  const percent = (value: number | null) => (value === null ? "–" : withUnits(value, "%", locale));
  const rate = (value: number | null) => (value === null ? "–" : withUnits(value, RATE, locale));
  return (
    <div class="host-row" role="row" aria-rowindex={place + 2} style={{ transform: `translateY(${top}px)` }}>
      <div class="cell of-state" role="cell"><StateName state={host.state} /></div>
      <div class="cell of-host" role="cell">
        <a href={BASE + hostPath(host.target)}>{host.target}</a>
        <small title={beneath(host)}>{beneath(host)}</small>
      </div>
      <div class="cell of-seen" role="cell"><Age ms={host.lastSeen} /></div>
      <div class="cell of-cpu" role="cell" data-name={texts.column.cpu}>
        <span class="figure">{percent(host.cpuPercent)}</span>
        <Spark line={sparks?.CPU} {...times} top={100} label={texts.lastHour(texts.column.cpu)} />
      </div>
      <div class="cell of-memory" role="cell" data-name={texts.column.memory}>
        <span class="figure">{percent(host.memoryPercent)}</span>
        <Spark line={sparks?.MEMORY} {...times} top={100} label={texts.lastHour(texts.column.memory)} />
      </div>
      <div class="cell of-disk" role="cell" data-name={texts.column.disk}>
        <span class={`figure ${(host.diskPercent ?? 0) >= FULL ? "is-full" : ""}`}>
          {percent(host.diskPercent)} <small>{host.diskMount}</small>
        </span>
        <Spark line={sparks?.DISK} {...times} top={100} label={texts.lastHour(texts.column.disk)} />
      </div>
      <div class="cell of-network" role="cell" data-name={texts.column.network}>
        <span class="figure two">
          <span aria-label={texts.received}>↓ {rate(host.receivedBytesPerSecond)}</span>
          <span aria-label={texts.sent}>↑ {rate(host.sentBytesPerSecond)}</span>
        </span>
        <Spark line={sparks?.RECEIVED} second={sparks?.SENT} {...times} top={1_000} label={texts.lastHour(texts.column.network)} />
      </div>
      <div class="cell of-load" role="cell" data-name={texts.column.load}>
        <span class="figure">
          {host.loadAverage === null ? "–" : fixed(host.loadAverage, 2, locale)}
          {host.cpus !== null && <small> {texts.perCpus(String(host.cpus))}</small>}
        </span>
        <Spark line={sparks?.LOAD} {...times} top={host.cpus ?? 1} label={texts.lastHour(texts.column.load)} />
      </div>
    </div>
  );
}

/** Below the name: what is wrong, or else what machine it is. */
function beneath(host: OverviewHost): string {
  if (host.error !== null && host.state !== "up") return host.error;
  const of = (key: string) => host.labels.find((label) => label.key === key)?.value;
  return [of("system") ?? of("type"), of("release")].filter(Boolean).join(" ");
}
