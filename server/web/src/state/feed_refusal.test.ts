import { test } from "node:test";
import assert from "node:assert/strict";
import { Refused } from "../api/faults.ts";
import { Feed } from "./feed.ts";

const GONE = "9";
const NOW = 1_700_000_000_000;
const WINDOW = { fromMs: NOW - 600_000, toMs: NOW };

/** A server that refuses every question in which one series occurs, as pattood does. */
function serve(): { asked: string[][] } {
  const asked: string[][] = [];
  globalThis.fetch = (_path, init) => {
    const { variables } = JSON.parse(String(init?.body)) as { variables: { gauges: string[] } };
    asked.push(variables.gauges);
    const columns = (idxDatapoint: string) => ({ idxDatapoint, step: null, timestamps: [NOW - 1_000], values: [1], lows: null, highs: null, damaged: [] });
    const body = variables.gauges.includes(GONE)
      ? { errors: [{ message: `there is no datapoint ${GONE}` }] }
      : { data: { gauges: variables.gauges.map(columns) } };
    return Promise.resolve(new Response(JSON.stringify(body)));
  };
  return { asked };
}

const lines = (...numbers: string[]) => numbers.map((idx) => ({ idx, rate: false }));

test("a series that is no more takes no other along, and is told of", async () => {
  const { asked } = serve();
  const feed = new Feed(WINDOW, 100, 10_000);
  feed.hold(lines("1", "2", "3", GONE, "5"));
  await feed.look(WINDOW, new AbortController().signal);
  for (const idx of ["1", "2", "3", "5"]) assert.deepEqual(feed.of({ idx, rate: false })?.values, [1], idx);
  assert.equal(feed.of({ idx: GONE, rate: false }), undefined);
  assert.ok(feed.fault.get() instanceof Refused);
  const before = asked.length;
  await feed.look({ ...WINDOW, toMs: NOW + 10_000 }, new AbortController().signal);
  assert.deepEqual(asked.slice(before), [["1", "2", "3", "5"]], "it is left out for a while");
  assert.ok(feed.fault.get() instanceof Refused, "and told of further");
});

test("lines are read without being kept, but for one that is no more", async () => {
  serve();
  const feed = new Feed(WINDOW, 100, 10_000);
  const found = await feed.read(lines("1", GONE), WINDOW, new AbortController().signal);
  assert.deepEqual([...found.keys()], ["1"]);
  assert.equal(feed.of({ idx: "1", rate: false }), undefined);
});
