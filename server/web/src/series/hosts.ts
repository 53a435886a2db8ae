// Which hosts are shown, and in which order.

import type { Label, OverviewHost, State } from "../api/overview.ts";

export type Column = "state" | "host" | "seen" | "cpu" | "memory" | "disk" | "network" | "load";

export interface Choice {
  /** Words that must all be found in the name or a label. */
  search: string;
  states: ReadonlySet<State>;
  /** A label's key and the value wanted. */
  labels: ReadonlyMap<string, string>;
  column: Column;
  descending: boolean;
}

/** Trouble first. */
const URGENCY: Record<State, number> = { down: 0, late: 1, unknown: 2, up: 3 };

const FIGURES: Record<Exclude<Column, "state" | "host">, (host: OverviewHost) => number | null> = {
  seen: (host) => host.lastSeen,
  cpu: (host) => host.cpuPercent,
  memory: (host) => host.memoryPercent,
  disk: (host) => host.diskPercent,
  network: (host) =>
    host.receivedBytesPerSecond === null && host.sentBytesPerSecond === null
      ? null
      : (host.receivedBytesPerSecond ?? 0) + (host.sentBytesPerSecond ?? 0),
  load: (host) => host.loadAverage,
};

export const COLUMNS: readonly Column[] = ["state", "host", "seen", "cpu", "memory", "disk", "network", "load"];

/** Names with numbers in them in the order in which people count. */
const names = new Intl.Collator(undefined, { numeric: true });

export function chosen(hosts: readonly OverviewHost[], choice: Choice): OverviewHost[] {
  const words = choice.search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const found = hosts.filter(
    (host) =>
      (choice.states.size === 0 || choice.states.has(host.state)) &&
      [...choice.labels].every(([key, value]) => host.labels.some((label) => label.key === key && label.value === value)) &&
      words.every((word) => host.target.toLowerCase().includes(word) || host.labels.some((label) => label.value.toLowerCase().includes(word))),
  );
  return found.sort(order(choice.column, choice.descending));
}

function order(column: Column, descending: boolean): (a: OverviewHost, b: OverviewHost) => number {
  const sign = descending ? -1 : 1;
  const byName = (a: OverviewHost, b: OverviewHost) => names.compare(a.target, b.target);
  if (column === "host") return (a, b) => sign * byName(a, b);
  if (column === "state") return (a, b) => sign * (URGENCY[a.state] - URGENCY[b.state]) || byName(a, b);
  const figure = FIGURES[column];
  return (a, b) => {
    const [x, y] = [figure(a), figure(b)];
    // What is not known stands last, whichever way.
    if (x === null || y === null) return x === y ? byName(a, b) : x === null ? 1 : -1;
    return sign * (x - y) || byName(a, b);
  };
}

export function countStates(hosts: readonly OverviewHost[]): Record<State, number> {
  const counts: Record<State, number> = { up: 0, late: 0, down: 0, unknown: 0 };
  for (const host of hosts) counts[host.state] += 1;
  return counts;
}

/** The labels that tell hosts apart: each key with its values, where there are some but not too many. */
export function facets(hosts: readonly OverviewHost[], most = 100): Map<string, string[]> {
  const values = new Map<string, Set<string>>();
  for (const { key, value } of hosts.flatMap((host): Label[] => host.labels)) {
    const known = values.get(key);
    if (known) known.add(value);
    else values.set(key, new Set([value]));
  }
  const useful = [...values].filter(([, found]) => found.size > 1 && found.size <= most);
  return new Map(useful.map(([key, found]) => [key, [...found].sort(names.compare)]));
}
