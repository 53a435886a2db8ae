// Charts of what comes late, is out of measure, or is far too much.

import { test } from "node:test";
import assert from "node:assert/strict";
import { fewFigures, history } from "./machine.ts";
import { batch, post, postAll, type Poll, type Sample } from "./posting.ts";
import { browser, stage, system } from "./stage.ts";
import { Visitor } from "./visitor.ts";
import { waitFor } from "./wait.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const LABELS = 300;
const LATE = "late";
const WILD = "wild";

/** The last that was heard of it until its hub catches up. */
let silentMs = 0;

const polls = (fromMs: number, toMs: number) => history(LATE, 1, fromMs, toMs, SECOND_MS, fewFigures);

function wildFigures(at: number): Sample[] {
  return [
    { key: "load_average_01min", type: 99, value: 1e300 },
    { key: "memory_percent", type: 99, value: 130 + at },
    { key: "battery_wear", type: 99, value: -1e300 },
    ...Array.from({ length: LABELS }, (_, queue): Sample => ({ key: "queue_length", type: 99, value: queue + at, labels: [["queue", `q${queue}`]] })),
  ];
}

stage(async () => {
  const now = Date.now();
  silentMs = now - 150 * SECOND_MS;
  await postAll(system.agentPort, polls(now - 12 * MINUTE_MS, silentMs), SECOND_MS);
  const wild = Array.from({ length: 12 }, (_, at): Poll => ({ target: WILD, timestampMs: now - (12 - at) * 10 * SECOND_MS, samples: wildFigures(at) }));
  for (const poll of wild) await post(system.agentPort, batch([poll], 10 * SECOND_MS));
});

test("what a hub kept while it could not post is drawn on a page that is open", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(`host/${LATE}?range=15m`));
  await visitor.drawn("Memory in use");
  const asked = () => visitor.asked.filter((query) => query.includes("columns(")).length;
  const before = asked();
  await waitFor("it has asked again, and nothing was there", async () => asked() > before);
  await postAll(system.agentPort, polls(silentMs + 1, Date.now()), SECOND_MS);
  const inked = async () => (await visitor.inkByColumn("Memory in use")).map((count) => count > 0);
  const width = (await inked()).length;
  await waitFor("the end of the line is drawn", async () => (await inked()).lastIndexOf(true) > width * 0.93);
  const columns = await inked();
  const line = columns.slice(columns.indexOf(true), columns.lastIndexOf(true) + 1);
  assert.equal(line.filter((isInk) => !isInk).length, 0, "and there is no hole before it");
  await visitor.leavesContent();
});

test("a share above the whole is drawn", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(`host/${WILD}?range=15m`));
  await visitor.drawn("Memory in use");
  await visitor.sees('figure[aria-label="Memory in use"] .legend-value', /^141 %$/);
  await visitor.leavesContent();
});

test("a value of three hundred digits widens no page", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  for (const [path, selector, wanted] of [["", ".host-row .of-load .figure", /^1E300/], [`host/${WILD}?range=15m`, 'figure[aria-label="Load average"] .legend-value', /^1E300/]] as const) {
    await visitor.page.goto(system.address(path));
    await visitor.sees(selector, wanted);
    for (const width of [1_280, 360]) {
      await visitor.page.setViewportSize({ width, height: 800 });
      await waitFor(`/${path} fits ${width}`, async () => (await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    }
    await visitor.page.setViewportSize({ width: 1_280, height: 900 });
  }
  await visitor.leavesContent();
});

test("of hundreds of series of one figure twenty are drawn, and the others are found in Explore", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(`host/${WILD}?range=15m`));
  const chart = visitor.page.locator('figure[aria-label="queue_length"]');
  await chart.scrollIntoViewIfNeeded();
  assert.equal(await chart.locator(".legend li").count(), 20);
  await chart.getByRole("link", { name: `20 of ${LABELS}; the others in Explore` }).click();
  await visitor.sees(".chip", /queue_length/);
  await visitor.sees(".found-row.is-series", /wild · .*q\d+/);
  const found = await visitor.page.locator(".found-row.is-series").count();
  assert.equal(found, 100);
  assert.equal(new URL(visitor.page.url()).searchParams.get("range"), "15m");
  const numbers = Array.from({ length: 57 }, (_, at) => at + 1).join(",");
  await visitor.page.goto(system.address(`explore?range=15m&s=${numbers}`));
  await visitor.sees(".picked-cut", /57 series were asked for: the first 40 are drawn/);
  assert.equal(await visitor.page.locator(".picked li").count(), 40);
  await visitor.leavesContent();
});
