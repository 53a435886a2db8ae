// The figures of a machine that never was: waves of different lengths, the same in
// every run.

import type { Poll, Sample } from "./posting.ts";

const GIB = 1_024 ** 3;
const HOUR_MS = 3_600_000;

/** Between 0 and 1, the same for the same seed. */
export function chance(seed: number): number {
  const wild = Math.sin(seed * 12.9898) * 43_758.5453;
  return wild - Math.floor(wild);
}

function wave(seed: number, timeMs: number): number {
  const hours = timeMs / HOUR_MS;
  const slow = Math.sin(hours / 3.8 + seed) * 0.5 + Math.sin(hours * 2.1 + seed * 3) * 0.25;
  return 0.5 + (slow + (chance(seed + Math.floor(timeMs / 10_000)) - 0.5) * 0.3) / 2;
}

/** The sum of a wave since long ago: what a counter shows that grows by it. */
function counter(seed: number, timeMs: number, perSecond: number): number {
  const seconds = (timeMs % (400 * 24 * HOUR_MS)) / 1_000;
  return Math.round(seconds * perSecond + Math.sin(seconds / 1_800 + seed) * perSecond * 700);
}

const gauge = (key: string, value: number, labels?: [string, string][]): Sample => ({ key, type: 99, value: Math.round(value * 100) / 100, ...(labels && { labels }) });
const count = (key: string, value: number, labels?: [string, string][]): Sample => ({ key, type: 64, value, ...(labels && { labels }) });

/** Ten figures: as many as the overview needs. */
export function fewFigures(seed: number, timeMs: number): Sample[] {
  const user = 2 + 55 * chance(seed) * wave(seed, timeMs);
  const disk: [string, string][] = [["disk_partition_device", "/dev/sda1"], ["disk_partition_mountpoint", "/"], ["disk_partition_fstype", "ext4"]];
  const eth: [string, string][] = [["network_io_interface", "eth0"]];
  const used = 0.2 + 0.6 * chance(seed + 5) + 0.08 * wave(seed + 9, timeMs);
  return [
    { ...gauge("cpu_times_percent_user", user), type: 101 },
    { ...gauge("cpu_times_percent_system", user / 4), type: 101 },
    { ...gauge("cpu_times_percent_idle", 100 - user * 1.25), type: 101 },
    gauge("memory_percent", used * 100),
    gauge("memory_total", 8 * GIB),
    gauge("load_average_01min", user / 24),
    gauge("disk_partition_disk_usage_percent", 12 + 85 * chance(seed + 3), disk),
    count("network_io_bytes_recv", counter(seed, timeMs, 2e5 + 2e6 * chance(seed + 7)), eth),
    count("network_io_bytes_sent", counter(seed + 1, timeMs, 5e4 + 4e5 * chance(seed + 8)), eth),
    gauge("process_count", 90 + 60 * wave(seed, timeMs)),
  ];
}

/** What a whole machine tells: enough for some thirty charts. */
export function manyFigures(seed: number, timeMs: number): Sample[] {
  const at = (offset: number) => wave(seed + offset, timeMs);
  const user = 8 + 40 * at(1);
  const system = 3 + 9 * at(2);
  const iowait = 4 * at(3) ** 2;
  const used = (5 + 4 * at(4)) * GIB;
  const cached = (4 + 1.5 * at(5)) * GIB;
  const samples: Sample[] = [
    ...Object.entries({ user, system, iowait, nice: at(6), irq: 0.2 * at(7), softirq: 0.9 * at(8), steal: 0, idle: 87 - user - system - iowait }).map(
      ([mode, value]): Sample => ({ ...gauge(`cpu_times_percent_${mode}`, value), type: 101 }),
    ),
    gauge("cpu_frequency", 2_100 + 500 * at(9)),
    gauge("load_average_01min", user / 14), gauge("load_average_05min", (20 + user) / 26), gauge("load_average_15min", (40 + user) / 40),
    gauge("memory_total", 16 * GIB), gauge("memory_used", used), gauge("memory_available", 16 * GIB - used), gauge("memory_cached", cached),
    gauge("memory_percent", (used / GIB / 16) * 100), gauge("memory_free", 16 * GIB - used - cached), gauge("memory_buffers", 0.2 * GIB + 0.1 * GIB * at(10)),
    gauge("memory_active", used * 0.8), gauge("memory_inactive", cached * 0.9), gauge("memory_shared", 0.3 * GIB), gauge("memory_slab", 0.5 * GIB),
    gauge("swap_memory_total", 2 * GIB), gauge("swap_memory_used", 0.2 * GIB + 0.1 * GIB * at(11)),
    count("swap_memory_sin", counter(seed + 12, timeMs, 900)), count("swap_memory_sout", counter(seed + 13, timeMs, 400)),
    gauge("process_count", 180 + 30 * at(14)), gauge("uptime", (timeMs % (90 * 24 * HOUR_MS)) / 1_000),
    count("cpu_stats_ctx_switches", counter(seed + 15, timeMs, 5_200)), count("cpu_stats_interrupts", counter(seed + 16, timeMs, 2_400)), count("cpu_stats_soft_interrupts", counter(seed + 17, timeMs, 1_500)),
  ];
  ["/", "/var", "/srv/data"].forEach((mount, number) => {
    const labels: [string, string][] = [["disk_partition_device", `/dev/sda${number + 1}`], ["disk_partition_mountpoint", mount], ["disk_partition_fstype", "ext4"]];
    const total = (40 + 200 * number) * GIB;
    const share = 0.35 + 0.2 * number + 0.05 * at(20 + number);
    samples.push(gauge("disk_partition_disk_usage_total", total, labels), gauge("disk_partition_disk_usage_used", total * share, labels), gauge("disk_partition_disk_usage_percent", share * 100, labels));
  });
  ["sda", "nvme0n1"].forEach((disk, number) => {
    const labels: [string, string][] = [["disk_partition", disk]];
    const rates = { read_bytes: 9e5, write_bytes: 3e6, read_count: 40, write_count: 160, read_merged_count: 4, write_merged_count: 60, read_time: 15, write_time: 70, busy_time: 110 };
    Object.entries(rates).forEach(([name, rate], place) => samples.push(count(`disk_io_${name}`, counter(seed + number * 10 + place, timeMs, rate), labels)));
  });
  ["eth0", "eth1", "lo"].forEach((name, number) => {
    const labels: [string, string][] = [["network_io_interface", name]];
    const rates = { bytes_recv: 2.4e6 / (number + 1), bytes_sent: 6e5 / (number + 1), packets_recv: 1_900, packets_sent: 900, errin: 0, errout: 0, dropin: 0.02, dropout: 0 };
    Object.entries(rates).forEach(([key, rate], place) => samples.push(count(`network_io_${key}`, counter(seed + number * 8 + place, timeMs, rate), labels)));
  });
  return samples;
}

/** Polls of one machine from one time to another; nothing within the pause. */
export function history(
  target: string,
  seed: number,
  fromMs: number,
  toMs: number,
  intervalMs: number,
  figures: (seed: number, timeMs: number) => Sample[],
  pause?: [number, number],
): Poll[] {
  const polls: Poll[] = [];
  for (let timestampMs = Math.ceil(fromMs / intervalMs) * intervalMs; timestampMs <= toMs; timestampMs += intervalMs) {
    if (pause && timestampMs >= pause[0] && timestampMs < pause[1]) continue;
    polls.push({ target, timestampMs, samples: figures(seed, timestampMs) });
  }
  return polls;
}
