import { beforeEach, mock, test } from "node:test";
import assert from "node:assert/strict";
import { Feed, type Line } from "./feed.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const SPAN_MS = 15 * MINUTE_MS;
const START_MS = 1_700_000_000_000;
const gauge = (idx: string): Line => ({ idx, rate: false });

/** What the server has, by number: times of samples. */
const stored = new Map<string, number[]>();
interface Asked { gauges: string[]; from: number; to: number }
let asked: Asked[] = [];
let elapsedMs = 0;

mock.method(performance, "now", () => elapsedMs);
/** What the server waits for before it answers. */
let gate: Promise<void> = Promise.resolve();
mock.method(globalThis, "fetch", async (_: string, init: RequestInit) => {
  const { variables } = JSON.parse(String(init.body)) as { variables: Asked };
  asked.push(variables);
  await gate;
  const gauges = variables.gauges.map((idxDatapoint) => {
    const timestamps = (stored.get(idxDatapoint) ?? []).filter((time) => time >= variables.from && time < variables.to);
    return { idxDatapoint, step: null, timestamps, values: timestamps.map(() => 1), lows: null, highs: null, damaged: [] };
  });
  return new Response(JSON.stringify({ data: { gauges } }));
});

const each = (fromMs: number, toMs: number) => Array.from({ length: Math.floor((toMs - fromMs) / SECOND_MS) + 1 }, (_, at) => fromMs + at * SECOND_MS);
const look = async (feed: Feed, nowMs: number) => {
  asked = [];
  elapsedMs = nowMs - START_MS;
  await feed.look({ fromMs: nowMs - SPAN_MS, toMs: nowMs }, new AbortController().signal);
};
const opened = async (...idx: string[]) => {
  const feed = new Feed({ fromMs: START_MS - SPAN_MS, toMs: START_MS }, 1_000, SECOND_MS);
  feed.hold(idx.map(gauge));
  await look(feed, START_MS);
  return feed;
};
const held = (feed: Feed, idx: string, fromMs: number) => (feed.of(gauge(idx))?.timestamps ?? []).filter((time) => time >= fromMs);

beforeEach(() => stored.clear());

test("what a hub kept through a silence is drawn when it comes, without a reload", async () => {
  const silentMs = START_MS - 2 * MINUTE_MS;
  stored.set("1", each(START_MS - SPAN_MS, silentMs));
  const feed = await opened("1");
  for (let round = 1; round <= 15; round += 1) await look(feed, START_MS + round * 10 * SECOND_MS);
  const nowMs = START_MS + 160 * SECOND_MS;
  stored.set("1", each(START_MS - SPAN_MS, nowMs));
  await look(feed, nowMs);
  assert.deepEqual(held(feed, "1", nowMs - SPAN_MS), each(nowMs - SPAN_MS, nowMs));
});

test("live, only the newest minutes are asked for, also beside a line that is silent", async () => {
  stored.set("live", each(START_MS - SPAN_MS, START_MS + MINUTE_MS));
  const feed = await opened("live", "dead");
  await look(feed, START_MS + 10 * SECOND_MS);
  const ofLive = asked.filter(({ gauges }) => gauges.includes("live"));
  assert.equal(asked.length, 2);
  assert.deepEqual(ofLive.map(({ gauges }) => gauges), [["live"]]);
  assert.ok(ofLive.every(({ from }) => from >= START_MS - 2 * MINUTE_MS));
});

test("a sample that comes late between others is there some minutes later", async () => {
  const early = each(START_MS - SPAN_MS, START_MS + 10 * MINUTE_MS);
  const late = early.filter((time) => time >= START_MS - 8 * MINUTE_MS && time < START_MS - 6 * MINUTE_MS);
  stored.set("1", early.filter((time) => !late.includes(time)));
  const feed = await opened("1");
  stored.set("1", early);
  const nowMs = START_MS + 5 * MINUTE_MS;
  await look(feed, nowMs - SECOND_MS);
  assert.ok(!held(feed, "1", 0).includes(late[0] ?? 0), "the newest minutes do not have it");
  await look(feed, nowMs);
  assert.deepEqual(held(feed, "1", nowMs - SPAN_MS), each(nowMs - SPAN_MS, nowMs));
  await look(feed, nowMs + SECOND_MS);
  assert.ok(asked.every(({ from }) => from > nowMs - 2 * MINUTE_MS), "and then only the newest minutes again");
});

test("all is asked for anew once the server is back, but not at each return of one that comes and goes", async () => {
  stored.set("1", each(START_MS - SPAN_MS, START_MS + 10 * MINUTE_MS));
  const feed = await opened("1");
  const wholes = () => asked.filter(({ from, to }) => to - from >= SPAN_MS).length;
  feed.doubt();
  await look(feed, START_MS + 10 * SECOND_MS);
  assert.equal(wholes(), 0);
  elapsedMs = MINUTE_MS;
  feed.doubt();
  // Deleted while the server was away, up to here.
  stored.set("1", each(START_MS, START_MS + 10 * MINUTE_MS));
  await look(feed, START_MS + MINUTE_MS);
  assert.equal(wholes(), 1);
  assert.deepEqual(held(feed, "1", 0), each(START_MS, START_MS + MINUTE_MS));
});

test("a line that is wanted while others are asked for joins them, and none of them is asked for anew", async () => {
  stored.set("1", each(START_MS - SPAN_MS, START_MS));
  stored.set("2", each(START_MS - SPAN_MS, START_MS));
  const feed = new Feed({ fromMs: START_MS - SPAN_MS, toMs: START_MS }, 1_000, SECOND_MS);
  let answer = () => {};
  gate = new Promise((open) => (answer = open));
  feed.hold([gauge("1")]);
  const looked = look(feed, START_MS);
  feed.hold([gauge("2")]);
  assert.ok(feed.join());
  answer();
  await looked;
  assert.deepEqual(asked.map(({ gauges }) => gauges), [["1"], ["2"]]);
  for (const idx of ["1", "2"]) assert.ok(held(feed, idx, 0).length > 0, idx);
  assert.ok(!feed.join(), "nothing is under way any more");
});

test("lines that wait for their turn are forgotten once nobody wants them", async () => {
  const feed = new Feed({ fromMs: START_MS - SPAN_MS, toMs: START_MS }, 1_000, SECOND_MS);
  let answer = () => {};
  gate = new Promise((open) => (answer = open));
  const many = (from: number) => Array.from({ length: 24 }, (_, at) => gauge(String(from + at)));
  for (const from of [0, 100, 200]) feed.hold(many(from));
  const looked = look(feed, START_MS);
  const letGo = feed.hold(many(300));
  feed.join();
  letGo();
  feed.hold([gauge("400")]);
  feed.join();
  answer();
  await looked;
  assert.deepEqual(asked.map(({ gauges }) => gauges[0]), ["0", "100", "200", "400"]);
});
