// The charts of a host: its series by what they tell of. Figures that no chart was
// thought out for get one each.

import type { HostSeries } from "../api/host.ts";
import type { Texts } from "../text/en.ts";
import { shortened, type ChartSpec, type GroupId, type GroupSpec, type LineSpec } from "./charts.ts";

const TEXT_TYPE = 2;
const PERCENT = "%";
/** Lines of one key: nobody tells more apart, and thousands would hold the browser up. */
const MOST_LINES = 20;

const CPU_MODES = ["user", "nice", "system", "iowait", "irq", "softirq", "steal"].map((mode) => `cpu_times_percent_${mode}`);
/** Shown another way, or of no use on a chart. */
const LEFT_OUT = new Set([
  "boot_time", "cpu_stats_syscalls", "cpu_times_percent_idle", "cpu_times_percent_guest", "cpu_times_percent_guest_nice",
  ...["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"].map((mode) => `cpu_times_${mode}`),
]);

interface Wish {
  group: GroupId;
  id: string;
  title: (texts: Texts) => string;
  keys: string[];
  stacked?: boolean;
  percent?: boolean;
  looks?: Record<string, LineSpec["look"]>;
}

/** Charts of the whole machine. */
const WHOLE: Wish[] = [
  { group: "cpu", id: "cpu", title: (texts) => texts.chart.cpuShare, keys: CPU_MODES, stacked: true, percent: true },
  { group: "cpu", id: "load", title: (texts) => texts.chart.load, keys: ["load_average_01min", "load_average_05min", "load_average_15min"] },
  { group: "cpu", id: "frequency", title: (texts) => texts.chart.cpuFrequency, keys: ["cpu_frequency"] },
  {
    group: "memory", id: "memory", title: (texts) => texts.chart.memory, keys: ["memory_used", "memory_available", "memory_cached", "memory_total"],
    looks: { memory_used: "area", memory_total: "dashed" },
  },
  { group: "memory", id: "memory-percent", title: (texts) => texts.chart.memoryPercent, keys: ["memory_percent"], percent: true, looks: { memory_percent: "area" } },
  {
    group: "memory", id: "memory-more", title: (texts) => texts.chart.memoryMore,
    keys: ["memory_free", "memory_active", "memory_inactive", "memory_buffers", "memory_shared", "memory_slab"],
  },
  {
    group: "memory", id: "swap", title: (texts) => texts.chart.swap, keys: ["swap_memory_used", "swap_memory_total"],
    looks: { swap_memory_used: "area", swap_memory_total: "dashed" },
  },
  { group: "memory", id: "swap-io", title: (texts) => texts.chart.swapIo, keys: ["swap_memory_sin", "swap_memory_sout"] },
  { group: "processes", id: "processes", title: (texts) => texts.chart.processes, keys: ["process_count"], looks: { process_count: "area" } },
  { group: "processes", id: "switches", title: (texts) => texts.chart.switches, keys: ["cpu_stats_ctx_switches", "cpu_stats_interrupts", "cpu_stats_soft_interrupts"] },
  { group: "processes", id: "uptime", title: (texts) => texts.chart.uptime, keys: ["uptime"] },
];

interface Each {
  group: GroupId;
  /** The label that says which one. */
  label: string;
  charts: { id: string; title: ((texts: Texts) => string) | null; keys: string[]; looks?: Record<string, LineSpec["look"]> }[];
}

/** Charts of every file system, disk and interface. */
const EACH: Each[] = [
  {
    group: "space", label: "disk_partition_mountpoint",
    charts: [{
      id: "space", title: null, keys: ["disk_partition_disk_usage_used", "disk_partition_disk_usage_total"],
      looks: { disk_partition_disk_usage_used: "area", disk_partition_disk_usage_total: "dashed" },
    }],
  },
  {
    group: "io", label: "disk_partition",
    charts: [
      { id: "throughput", title: (texts) => texts.chart.throughput, keys: ["disk_io_read_bytes", "disk_io_write_bytes"] },
      { id: "requests", title: (texts) => texts.chart.requests, keys: ["disk_io_read_count", "disk_io_write_count", "disk_io_read_merged_count", "disk_io_write_merged_count"] },
      { id: "time", title: (texts) => texts.chart.time, keys: ["disk_io_busy_time", "disk_io_read_time", "disk_io_write_time"], looks: { disk_io_busy_time: "area" } },
    ],
  },
  {
    group: "network", label: "network_io_interface",
    charts: [
      { id: "traffic", title: (texts) => texts.chart.traffic, keys: ["network_io_bytes_recv", "network_io_bytes_sent"] },
      { id: "packets", title: (texts) => texts.chart.packets, keys: ["network_io_packets_recv", "network_io_packets_sent"] },
      { id: "faults", title: (texts) => texts.chart.faults, keys: ["network_io_errin", "network_io_errout", "network_io_dropin", "network_io_dropout"] },
    ],
  },
];

const ORDER: GroupId[] = ["cpu", "memory", "space", "io", "network", "processes", "other"];
const collator = new Intl.Collator(undefined, { numeric: true });

/** The key without the name of the program before it. */
export function shortKey(series: HostSeries): string {
  const prefix = `${series.program}_`;
  return series.key.startsWith(prefix) ? series.key.slice(prefix.length) : series.key;
}

/** What tells a series from its sisters of the same key. */
export function labelText(series: HostSeries): string {
  return series.labels.map((label) => label.value).join(" · ");
}

export function isText(series: HostSeries): boolean {
  return series.dataType === TEXT_TYPE;
}

export function groupsOf(all: readonly HostSeries[], texts: Texts): GroupSpec[] {
  const byKey = new Map<string, HostSeries[]>();
  for (const series of all) {
    if (isText(series)) continue;
    const key = shortKey(series);
    const sisters = byKey.get(key);
    if (sisters) sisters.push(series);
    else byKey.set(key, [series]);
  }
  const used = new Set<string>(LEFT_OUT);
  const found: { group: GroupId; chart: ChartSpec }[] = [];
  const put = (group: GroupId, chart: ChartSpec | null) => {
    if (chart) found.push({ group, chart });
  };
  for (const wish of WHOLE) {
    put(wish.group, chartOf(wish.id, wish.title(texts), wish, wish.keys.map((key) => byKey.get(key) ?? [])));
    for (const key of wish.keys) used.add(key);
  }
  put("space", chartOfAll("space-percent", texts.chart.spacePercent, byKey.get("disk_partition_disk_usage_percent") ?? []));
  used.add("disk_partition_disk_usage_percent").add("disk_partition_disk_usage_free").add("memory_percent").add("swap_memory_percent").add("swap_memory_free");
  for (const each of EACH) {
    const of = (series: HostSeries) => series.labels.find((label) => label.key === each.label)?.value ?? "";
    const members = [...new Set(each.charts.flatMap((chart) => chart.keys.flatMap((key) => (byKey.get(key) ?? []).map(of))))];
    for (const member of members.sort(collator.compare)) {
      for (const chart of each.charts) {
        const title = chart.title ? `${member} · ${chart.title(texts)}` : member;
        const lines = chart.keys.map((key) => (byKey.get(key) ?? []).filter((series) => of(series) === member));
        put(each.group, chartOf(`${chart.id}-${member}`, title, chart, lines));
      }
    }
    for (const key of each.charts.flatMap((chart) => chart.keys)) used.add(key);
  }
  for (const [key, series] of byKey) {
    if (!used.has(key)) put("other", chartOfAll(`other-${key}`, series[0]?.name ?? key, series));
  }
  return ORDER.map((id) => ({ id, charts: found.filter(({ group }) => group === id).map(({ chart }) => chart) })).filter(({ charts }) => charts.length > 0);
}

/** A chart with a line for each key. */
function chartOf(
  id: string,
  title: string,
  how: { keys: string[]; stacked?: boolean; percent?: boolean; looks?: Record<string, LineSpec["look"]> },
  series: HostSeries[][],
): ChartSpec | null {
  const present = how.keys.flatMap((key, at) => {
    const own = series[at] ?? [];
    const first = own[0];
    return first ? [{ key, own, first }] : [];
  });
  const [some] = present;
  if (!some) return null;
  const names = shortened(present.map(({ first }) => first.name));
  return {
    id, title, units: some.first.units, stacked: how.stacked ?? false, top: how.percent ? 100 : null, fromZero: true,
    lines: present.map(({ key, own, first }, at) => ({
      idx: own.map((one) => one.idxDatapoint), rate: first.isCounter, name: names[at] ?? first.name, look: how.looks?.[key] ?? "line",
    })),
  };
}

/** A chart with a line for each of the series of one key, by their labels. */
function chartOfAll(id: string, title: string, series: readonly HostSeries[]): ChartSpec | null {
  const [first] = series;
  if (!first) return null;
  const lines = new Map<string, LineSpec>();
  for (const one of [...series].sort((a, b) => collator.compare(nameOf(a), nameOf(b)))) {
    const name = nameOf(one) || one.name;
    const line = lines.get(name);
    if (line) line.idx.push(one.idxDatapoint);
    else lines.set(name, { idx: [one.idxDatapoint], rate: one.isCounter, name, look: "line" });
  }
  const percent = first.units === PERCENT;
  const shown = [...lines.values()].slice(0, MOST_LINES);
  return {
    id, title, units: first.units, stacked: false, top: percent ? 100 : null, fromZero: percent, lines: shown,
    ...(shown.length < lines.size && { cut: { key: first.key, all: lines.size } }),
  };
}

/** The mount point is enough to tell a file system. */
function nameOf(series: HostSeries): string {
  return series.labels.find((label) => label.key === "disk_partition_mountpoint")?.value ?? labelText(series);
}
