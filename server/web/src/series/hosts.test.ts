import { test } from "node:test";
import assert from "node:assert/strict";
import type { OverviewHost, State } from "../api/overview.ts";
import { chosen, countStates, facets, type Choice } from "./hosts.ts";

const host = (target: string, state: State, cpuPercent: number | null, release = "6.1"): OverviewHost => ({
  target, state, cpuPercent, lastSeen: null, intervalSeconds: 10, memoryPercent: null, diskPercent: null, diskMount: null,
  receivedBytesPerSecond: null, sentBytesPerSecond: null, loadAverage: null, cpus: null, reachable: null, error: null,
  labels: [{ key: "system", value: "Linux" }, { key: "release", value: release }],
});
const HOSTS = [host("web-10", "up", 5), host("web-2", "down", null), host("db-1", "late", 90, "5.10"), host("web-1", "up", 7)];
const ALL: Choice = { search: "", states: new Set(), labels: new Map(), column: "state", descending: false };
const names = (choice: Partial<Choice>) => chosen(HOSTS, { ...ALL, ...choice }).map(({ target }) => target);

test("trouble stands first, and names in the order in which people count", () => {
  assert.deepEqual(names({}), ["web-2", "db-1", "web-1", "web-10"]);
  assert.deepEqual(names({ column: "host" }), ["db-1", "web-1", "web-2", "web-10"]);
});

test("what is not known stands last, whichever way one sorts", () => {
  assert.equal(names({ column: "cpu" }).at(-1), "web-2");
  assert.equal(names({ column: "cpu", descending: true }).at(-1), "web-2");
  assert.equal(names({ column: "cpu", descending: true })[0], "db-1");
});

test("every word must be found, in the name or in a label", () => {
  assert.deepEqual(names({ search: "WEB 6.1", column: "host" }), ["web-1", "web-2", "web-10"]);
  assert.deepEqual(names({ search: "web 5.10" }), []);
});

test("states and labels narrow down", () => {
  assert.deepEqual(names({ states: new Set<State>(["late", "down"]) }), ["web-2", "db-1"]);
  assert.deepEqual(names({ labels: new Map([["release", "5.10"]]) }), ["db-1"]);
});

test("states are counted, and only labels that tell hosts apart can be chosen", () => {
  assert.deepEqual(countStates(HOSTS), { up: 2, late: 1, down: 1, unknown: 0 });
  assert.deepEqual([...facets(HOSTS)], [["release", ["5.10", "6.1"]]]);
});
