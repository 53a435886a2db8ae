import { test } from "node:test";
import assert from "node:assert/strict";
import type { HostSeries } from "../api/host.ts";
import { en } from "../text/en.ts";
import { shortened } from "./charts.ts";
import { groupsOf } from "./groups.ts";

let next = 0;
const series = (key: string, label?: [string, string], more: Partial<HostSeries> = {}): HostSeries => ({
  idxDatapoint: String((next += 1)), idxAgent: "1", key, program: "spoke", dataType: 99, isCounter: false, name: key, units: "%",
  labels: label ? [{ key: label[0], value: label[1] }] : [], latest: 1, latestText: null, latestTimestamp: 1, ...more,
});
const charts = (all: HostSeries[]) => groupsOf(all, en).flatMap((group) => group.charts.map((chart) => `${group.id}: ${chart.title}`));

test("CPU is stacked by mode, without what is idle or counted twice", () => {
  const all = ["user", "system", "idle", "guest"].map((mode) => series(`spoke_cpu_times_percent_${mode}`));
  const [group] = groupsOf(all, en);
  assert.equal(group?.charts.length, 1);
  assert.equal(group?.charts[0]?.stacked, true);
  assert.equal(group?.charts[0]?.top, 100);
  assert.deepEqual(group?.charts[0]?.lines.map((line) => line.idx), [[all[0]?.idxDatapoint], [all[1]?.idxDatapoint]]);
});

test("every disk and every interface has charts of its own, in the order in which people count", () => {
  const all = ["sda10", "sda2"].flatMap((disk) => [series("disk_io_read_bytes", ["disk_partition", disk]), series("disk_io_busy_time", ["disk_partition", disk])]);
  all.push(series("network_io_bytes_recv", ["network_io_interface", "eth0"], { isCounter: true }));
  assert.deepEqual(charts(all), ["io: sda2 · throughput", "io: sda2 · time", "io: sda10 · throughput", "io: sda10 · time", "network: eth0 · traffic"]);
  assert.equal(groupsOf(all, en).at(-1)?.charts[0]?.lines[0]?.rate, true);
});

test("a figure that nobody thought of has a chart, with a line for each of its labels", () => {
  const all = [series("room_temperature", ["room", "attic"]), series("room_temperature", ["room", "cellar"])];
  assert.deepEqual(charts(all), ["other: room_temperature"]);
  assert.deepEqual(groupsOf(all, en)[0]?.charts[0]?.lines.map((line) => line.name), ["attic", "cellar"]);
});

test("of a figure with thousands of labels the first twenty are drawn, and it is told how many there are", () => {
  const all = Array.from({ length: 3_000 }, (_, at) => series("spoke_queue_length", ["queue", `q${at}`]));
  const [chart] = groupsOf(all, en)[0]?.charts ?? [];
  assert.deepEqual(chart?.lines.map((line) => line.name), Array.from({ length: 20 }, (_, at) => `q${at}`));
  assert.deepEqual(chart?.cut, { key: "spoke_queue_length", all: 3_000 });
  assert.equal(groupsOf(all.slice(0, 20), en)[0]?.charts[0]?.cut, undefined);
});

test("series of one thing that followed each other are one line", () => {
  const all = [series("memory_percent"), series("memory_percent")];
  assert.equal(groupsOf(all, en)[0]?.charts[0]?.lines[0]?.idx.length, 2);
});

test("words have no chart", () => {
  assert.deepEqual(charts([series("hub_poll_error", undefined, { dataType: 2 })]), []);
});

test("names lose the beginning that all share, and only that", () => {
  assert.deepEqual(shortened(["Memory: used", "Memory: file cache"]), ["Used", "File cache"]);
  assert.deepEqual(shortened(["Memory: used", "Swap: used"]), ["Memory: used", "Swap: used"]);
  assert.deepEqual(shortened(["Memory: used"]), ["Memory: used"]);
  assert.deepEqual(shortened(["Load average over 1 minute", "Load average over 15 minutes"]), ["1 minute", "15 minutes"]);
  assert.deepEqual(shortened(["interrupts", "context switches"]), ["Interrupts", "Context switches"]);
});
