import { test } from "node:test";
import assert from "node:assert/strict";
import type { ExploreSeries } from "../api/explore.ts";
import { columnNames, formatPicked, keyInExplore, lineNames, parsePicked, pickedCharts } from "./picked.ts";

const series = (idxDatapoint: string, target: string, name: string, units: string, isCounter = false, label = ""): ExploreSeries => ({
  idxDatapoint, target, name, units, isCounter, idxAgent: "1", key: name, program: "spoke", dataType: 99, latest: null, latestText: null,
  latestTimestamp: null, labels: label === "" ? [] : [{ key: "interface", value: label }],
});

test("an address tells the series, each once, and what makes no sense is left out", () => {
  const lines = [{ idx: "12", rate: false }, { idx: "14", rate: true }];
  assert.deepEqual(parsePicked("12,r14,12,x,r,-3"), lines);
  assert.equal(formatPicked(lines), "12,r14");
  assert.deepEqual(parsePicked(""), []);
});

test("all that were picked are read, so that Explore can tell which it leaves out", () => {
  assert.equal(parsePicked(Array.from({ length: 57 }, (_, at) => at).join(",")).length, 57);
});

test("a key leads to its series in Explore, over the same range", () => {
  assert.equal(keyInExplore("queue_length", "a b", new URLSearchParams("range=24h&s=1")), "/pattoo/explore?key=queue_length&q=a+b&range=24h");
});

test("names are made of what tells the series apart", () => {
  const all = [series("1", "a", "Load", ""), series("2", "b", "Load", "")];
  assert.deepEqual(lineNames(all), ["a", "b"]);
  assert.deepEqual(lineNames([series("1", "a", "Sent", "", true, "eth0"), series("2", "a", "Sent", "", true, "lo")]), ["eth0", "lo"]);
  assert.deepEqual(lineNames([series("1", "a", "Load", "")]), ["a"]);
});

test("figures of different units stand on charts of their own, a counter as it is among the plain ones", () => {
  const known = new Map([series("1", "a", "Sent", "bytes / second", true), series("2", "a", "Used", "bytes")].map((one) => [one.idxDatapoint, one]));
  const units = (text: string) => pickedCharts(parsePicked(text), known, "/ second").map((chart) => chart.units);
  assert.deepEqual(units("r1,2"), ["bytes / second", "bytes"]);
  assert.deepEqual(units("1,2"), ["bytes"]);
  assert.deepEqual(units("r2"), ["bytes / second"]);
  assert.deepEqual(units("99"), []);
});

test("a column of several charts is named by its figure, once", () => {
  const all = [series("1", "a", "Load", "tasks"), series("2", "a", "Used", "bytes"), series("3", "a", "Cached", "bytes"), series("4", "a", "Ratio", "")];
  const known = new Map(all.map((one) => [one.idxDatapoint, one]));
  const names = (text: string) => columnNames(pickedCharts(parsePicked(text), known, "/ second"), known);
  assert.deepEqual(names("1"), ["a (tasks)"]);
  assert.deepEqual(names("1,2,3,4"), ["Load · a (tasks)", "Used (bytes)", "Cached (bytes)", "Ratio · a"]);
});
