// A phone in the hand: a finger moves a chart along, two look closer, and the page
// still scrolls.

import { test } from "node:test";
import assert from "node:assert/strict";
import type { CDPSession } from "playwright-core";
import { history, manyFigures } from "./machine.ts";
import { postAll } from "./posting.ts";
import { browser, stage, system } from "./stage.ts";
import { Visitor } from "./visitor.ts";
import { waitFor } from "./wait.ts";

const HOUR_MS = 3_600_000;
const INTERVAL_MS = 300_000;
const CHART = "Load average";
const STEPS = 8;

stage(async () => {
  const now = Date.now();
  await postAll(system.agentPort, history("alpha", 1, now - 48 * HOUR_MS, now, INTERVAL_MS, manyFigures), INTERVAL_MS, 100);
});

interface Point {
  x: number;
  y: number;
}

/** Fingers that go from some points to others, as the screen of a phone tells the browser. */
async function swipe(fingers: CDPSession, from: Point[], to: Point[]): Promise<void> {
  const at = (share: number) =>
    from.map(({ x, y }, id) => ({ x: x + ((to[id]?.x ?? x) - x) * share, y: y + ((to[id]?.y ?? y) - y) * share, id }));
  await fingers.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(0) });
  for (let step = 1; step <= STEPS; step += 1) await fingers.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(step / STEPS) });
  await fingers.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
}

/** A phone with the chart in the middle of its screen, fingers to touch it, and where its places are. */
async function phone() {
  const visitor = await Visitor.come(browser, system.origin, { width: 390, height: 844, touch: true });
  await visitor.page.goto(system.address("host/alpha?range=24h"));
  await visitor.drawn(CHART);
  const over = visitor.page.locator(`figure[aria-label="${CHART}"] .u-over`);
  // What stands above it is as high as it stays.
  await visitor.page.locator(".facts-bar:not(.is-waiting)").waitFor();
  await over.evaluate((element) => element.scrollIntoView({ block: "center" }));
  const box = await over.boundingBox();
  assert.ok(box);
  const at = (x: number, y = 0.5): Point => ({ x: box.x + box.width * x, y: box.y + box.height * y });
  return { visitor, fingers: await visitor.page.context().newCDPSession(visitor.page), at };
}

function windowOf(visitor: Visitor): { fromMs: number; toMs: number; hours: number } | null {
  const { searchParams } = new URL(visitor.page.url());
  const [fromMs, toMs] = [Number(searchParams.get("from")), Number(searchParams.get("to"))];
  return fromMs > 0 ? { fromMs, toMs, hours: (toMs - fromMs) / HOUR_MS } : null;
}

const near = (value: number | undefined, wanted: number, by: number) => value !== undefined && Math.abs(value - wanted) < by;

test("a finger that goes sideways moves the range, by as much", async () => {
  const { visitor, fingers, at } = await phone();
  // Not how far the page is scrolled: the dates that come above the chart move it.
  const top = async () => Math.round((await visitor.page.locator(`figure[aria-label="${CHART}"] .u-over`).boundingBox())?.y ?? 0);
  const before = await top();
  const now = Date.now();
  await swipe(fingers, [at(0.2)], [at(0.7)]);
  await waitFor("half a day earlier", async () => near((now - (windowOf(visitor)?.toMs ?? 0)) / HOUR_MS, 12, 1));
  assert.ok(near(windowOf(visitor)?.hours, 24, 0.1), "as long as before");
  await waitFor("the chart is where it was", async () => near(await top(), before, 2));
  await swipe(fingers, [at(0.9)], [at(0.1)]);
  await waitFor("at the present it is live again", async () => windowOf(visitor) === null);
  await visitor.sees(".live", /^Live$/);
  await visitor.leavesContent();
});

test("two fingers look closer at what is between them, and Back goes back", async () => {
  const { visitor, fingers, at } = await phone();
  const begun = Date.now() - 24 * HOUR_MS;
  await swipe(fingers, [at(0.4), at(0.6)], [at(0.1), at(0.9)]);
  await waitFor("a fourth of it", async () => near(windowOf(visitor)?.hours, 6, 0.7));
  const middle = ((windowOf(visitor)?.fromMs ?? 0) + (windowOf(visitor)?.toMs ?? 0)) / 2;
  assert.ok(near((middle - begun) / HOUR_MS, 12, 0.7), "its middle stays");
  await visitor.drawn(CHART);
  await swipe(fingers, [at(0.2), at(0.8)], [at(0.35), at(0.65)]);
  await waitFor("wider again", async () => near(windowOf(visitor)?.hours, 12, 1.5));
  await visitor.page.goBack();
  await waitFor("one pinch back", async () => near(windowOf(visitor)?.hours, 6, 0.7));
  await visitor.page.goBack();
  await waitFor("at the start", async () => visitor.page.url().includes("range=24h"));
  await visitor.leavesContent();
});

test("a finger that goes up scrolls the page, and leaves the range alone", async () => {
  const { visitor, fingers, at } = await phone();
  const scrolled = await visitor.page.evaluate(() => scrollY);
  await swipe(fingers, [at(0.5, 0.9)], [{ x: at(0.55).x, y: at(0.5, 0.9).y - 240 }]);
  await waitFor("it has scrolled", async () => (await visitor.page.evaluate(() => scrollY)) > scrolled + 100);
  // The address would tell of it only a moment later.
  await visitor.sees(".live", /^Live$/);
  await visitor.leavesContent();
});

test("a tap shows the values there", async () => {
  const { visitor, at } = await phone();
  const { x, y } = at(0.3);
  await visitor.page.touchscreen.tap(x, y);
  await visitor.sees(`figure[aria-label="${CHART}"] .chart-note`, /\d\d:\d\d:\d\d/);
  await visitor.sees(".live", /^Live$/);
  await visitor.leavesContent();
});
