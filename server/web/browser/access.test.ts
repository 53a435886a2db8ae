// Contrast, labels and roles of every view, light and dark, as axe-core measures them
// against WCAG 2, levels A and AA.

import { test } from "node:test";
import assert from "node:assert/strict";
import axe from "axe-core";
import { history, manyFigures } from "./machine.ts";
import { postAll } from "./posting.ts";
import { browser, stage, system } from "./stage.ts";
import { freePort } from "./system.ts";
import { AWAY, Visitor, type Looks } from "./visitor.ts";

const HOUR_MS = 3_600_000;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const LOOKS: Record<string, Looks> = {
  light: {},
  dark: { dark: true },
  "a phone": { width: 390, height: 844, touch: true },
};
/** A view with nothing in it would pass, too. */
const LEAST_RULES = 10;
/** axe-core asks by itself for a style sheet that did not come; then it complains. */
const AWAY_FROM_AXE = new RegExp(`${AWAY.source}|Couldn't load preload assets`);

stage();

/** What is wrong, in words. */
async function faults(visitor: Visitor): Promise<string[]> {
  // By the debugger and not as a script of the page: its policy forbids those.
  await visitor.page.evaluate(`${axe.source}; undefined`);
  const { violations, passes } = await visitor.page.evaluate((tags) => {
    const { axe: measure } = window as unknown as { axe: typeof axe };
    return measure.run(document, { runOnly: { type: "tag", values: tags } });
  }, TAGS);
  assert.ok(passes.length >= LEAST_RULES, `${passes.length} rules found something to measure`);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}: ${node.failureSummary ?? ""}`));
}

async function isAccessible(path: string, ready: (visitor: Visitor) => Promise<unknown>, expected?: RegExp): Promise<void> {
  for (const [look, looks] of Object.entries(LOOKS)) {
    const visitor = await Visitor.come(browser, system.origin, looks);
    await visitor.page.goto(system.address(path));
    await ready(visitor);
    assert.deepEqual(await faults(visitor), [], `/${path}, ${look}`);
    await visitor.leavesContent(expected);
  }
}

test("a server without data, and what it says to strangers", async () => {
  await isAccessible("", (visitor) => visitor.sees(".no-data", /No data yet/));
  await isAccessible("charts", (visitor) => visitor.sees(".message", /No chart/));
  await isAccessible("signin", (visitor) => visitor.sees("pre", /create user/));
  await isAccessible("nowhere", (visitor) => visitor.sees(".message", /nothing at this address/));
  await isAccessible("host/nobody", (visitor) => visitor.sees(".message", /No host/));
});

test("the overview, with a hub that does not reach all, opened", async () => {
  const now = Date.now();
  await postAll(system.agentPort, history("alpha", 1, now - HOUR_MS, now, 60_000, manyFigures), 60_000, 100);
  await postAll(system.agentPort, history("silent", 2, now - 2 * HOUR_MS, now - HOUR_MS, 60_000, manyFigures), 60_000, 100);
  const spoke = await system.spoke("arm-board");
  spoke.program.start();
  system.hub([spoke.port, await freePort()]).start();
  await isAccessible("", async (visitor) => {
    await visitor.sees(".host-row .state", /down/);
    await visitor.page.locator('.spark path[d^="M"]').first().waitFor({ state: "attached" });
    await visitor.page.locator(".hub summary").click();
    await visitor.page.locator(".chip").first().click();
    await visitor.sees(".count", /of/);
  });
});

test("a host, with all that can be opened", async () => {
  await isAccessible("host/alpha?range=1h", async (visitor) => {
    await visitor.drawn("Load average");
    await visitor.page.locator(".facts-rest summary").click();
    const help = visitor.page.locator(".keys summary");
    if (await help.isVisible()) await help.click();
    await visitor.page.locator('figure[aria-label="Load average"] .legend button').first().click();
    // Nothing of it half below the bar that stays at the top.
    await visitor.page.evaluate(() => scrollTo(0, 0));
  });
  await isAccessible("host/silent", (visitor) => visitor.sees(".host-head .state", /down/));
});

test("Explore, and a saved chart", async () => {
  await isAccessible("explore", (visitor) => visitor.sees(".found-row", /Memory/));
  await isAccessible("explore?range=1h&q=network_io_bytes alpha", async (visitor) => {
    for (const at of [0, 1]) await visitor.page.locator(".found-row.is-series").nth(at).click();
    await visitor.page.locator("figure.chart .legend-value", { hasText: /\d/ }).first().waitFor();
    await visitor.page.getByRole("button", { name: "Save as chart" }).click();
    await visitor.page.getByLabel("Name of the chart").fill("Traffic");
  });
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("explore?q=process_count alpha"));
  await visitor.page.locator(".found-row.is-series").first().click();
  await visitor.page.getByRole("button", { name: "Save as chart" }).click();
  await visitor.page.getByLabel("Name of the chart").fill("Processes");
  await visitor.page.getByRole("button", { name: "Save", exact: true }).click();
  await visitor.sees(".said", /Processes/);
  assert.deepEqual(await faults(visitor), [], "once saved");
  await visitor.leavesContent();
  await isAccessible("charts", async (other) => {
    await other.sees(".saved-name", /Processes/);
    await other.page.getByRole("button", { name: "Delete" }).click();
  });
});

test("a server that is away, and one that wants to know who looks", async () => {
  for (const dark of [false, true]) {
    const visitor = await Visitor.come(browser, system.origin, { dark });
    await visitor.page.goto(system.address(""));
    await visitor.sees(".host-row a", /^alpha$/);
    await system.server.stop();
    await visitor.sees(".notice", /has not answered/);
    assert.deepEqual(await faults(visitor), [], "away");
    system.server.start();
    await system.answers();
    await visitor.leavesContent(AWAY_FROM_AXE);
  }
  system.createUser("ada", "seven green herons");
  await isAccessible("", (visitor) => visitor.sees("h1", /^Sign in$/), /status of 401/);
});
