// The table of hosts. Only the rows on the screen exist; the room of the others is
// kept free, so that the page is as long as it says.

import { useEffect, useMemo, useRef } from "preact/hooks";
import type { OverviewHost } from "../../api/overview.ts";
import { COLUMNS, type Choice } from "../../series/hosts.ts";
import { now } from "../../state/clock.ts";
import { speech } from "../../state/language.ts";
import { SPARK_MINUTES, Sparklines } from "../../state/sparklines.ts";
import { useStore } from "../../state/store.ts";
import { sortBy } from "./choice.ts";
import { Row } from "./row.tsx";
import { useSeen } from "./seen.ts";

export function Table({ hosts, choice }: { hosts: OverviewHost[]; choice: Choice }) {
  const { texts } = useStore(speech);
  const body = useRef<HTMLDivElement>(null);
  const seen = useSeen(body, hosts.length);
  const sparklines = useMemo(() => new Sparklines(), []);
  useEffect(() => () => sparklines.stop(), [sparklines]);
  useStore(sparklines.version);
  const rows = hosts.slice(seen.first, seen.end);
  useEffect(() => sparklines.want(rows.map((host) => host.target)));
  const toMs = now();
  const fromMs = toMs - SPARK_MINUTES * 60_000;
  return (
    <div class="hosts" role="table" aria-label={texts.overview} aria-rowcount={hosts.length + 1}>
      <div class="hosts-head" role="row" aria-rowindex={1}>
        {COLUMNS.map((column) => {
          const sorted = choice.column === column;
          const way = choice.descending ? "descending" : "ascending";
          return (
            <div key={column} class={`cell of-${column}`} role="columnheader" aria-sort={sorted ? way : "none"}>
              <button onClick={() => sortBy(choice, column)}>
                {texts.column[column]}
                <span class="way" aria-hidden="true">{sorted ? (choice.descending ? "↓" : "↑") : ""}</span>
              </button>
            </div>
          );
        })}
      </div>
      <div
        ref={body}
        class="hosts-body"
        role="rowgroup"
        style={{ height: `${hosts.length * seen.rowHeight}px` }}
        onKeyDown={(event) => moveFocus(event) && seen.look()}
      >
        {rows.map((host, at) => (
          <Row
            key={host.target}
            host={host}
            place={seen.first + at}
            top={(seen.first + at) * seen.rowHeight}
            sparks={sparklines.of(host.target)}
            fromMs={fromMs}
            toMs={toMs}
          />
        ))}
      </div>
      {hosts.length === 0 && <p class="nothing">{texts.nothingFits}</p>}
    </div>
  );
}

/** Arrow keys go from host to host. Whether this one did. */
function moveFocus(event: KeyboardEvent): boolean {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return false;
  const row = (event.target as Element).closest(".host-row");
  const place = Number(row?.getAttribute("aria-rowindex")) + (event.key === "ArrowDown" ? 1 : -1);
  const next = row?.parentElement?.querySelector<HTMLElement>(`[aria-rowindex="${place}"] a`);
  if (!next) return false;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  return true;
}
