// Views that are saved as charts.

import { test } from "node:test";
import assert from "node:assert/strict";
import { history, manyFigures } from "./machine.ts";
import { numbersOf } from "./numbers.ts";
import { postAll } from "./posting.ts";
import { browser, stage, system } from "./stage.ts";
import { Visitor } from "./visitor.ts";
import { waitFor } from "./wait.ts";

const HOUR_MS = 3_600_000;
const INTERVAL_MS = 60_000;

stage(async () => {
  const now = Date.now();
  await postAll(system.agentPort, history("alpha", 1, now - 2 * HOUR_MS, now, INTERVAL_MS, manyFigures), INTERVAL_MS, 100);
});

test("a view is saved as a chart, opened, and deleted", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("explore?q=process_count"));
  await visitor.page.locator(".found-row.is-series").first().click();
  await visitor.drawn("Processes");
  await visitor.page.getByRole("button", { name: "Save as chart" }).click();
  await visitor.page.getByLabel("Name of the chart").fill("Busy machines");
  await visitor.page.getByRole("button", { name: "Save", exact: true }).click();
  await visitor.sees(".said", /Busy machines/);
  await visitor.page.getByRole("link", { name: "Charts" }).click();
  await visitor.sees(".saved", /keeps the range and the rates too, but not which lines the legend hides/);
  await visitor.page.getByRole("link", { name: "Busy machines", exact: true }).click();
  await visitor.sees("h1", /Busy machines/);
  await visitor.drawn("Processes");
  await visitor.page.goBack();
  await visitor.page.getByRole("button", { name: "Delete" }).click();
  await visitor.page.getByRole("button", { name: "Delete for good" }).click();
  await visitor.sees(".saved", /No chart is saved yet/);
  await visitor.leavesContent();
});

test("a double click on Save saves once", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  const [number] = await numbersOf(visitor, "alpha", ["process_count"]);
  await visitor.page.goto(system.address(`explore?s=${number}`));
  await visitor.drawn("Processes");
  await visitor.page.getByRole("button", { name: "Save as chart" }).click();
  await visitor.page.getByLabel("Name of the chart").fill("Once");
  // Slow enough for the second click to find the form.
  await visitor.page.route("**/graphql", async (route) => {
    await new Promise((late) => setTimeout(late, 300));
    await route.continue();
  });
  await visitor.page.getByRole("button", { name: "Save", exact: true }).dblclick();
  await visitor.sees(".said", /Once/);
  const creates = visitor.asked.filter((query) => query.includes("createChart("));
  assert.equal(creates.length, 1);
  await visitor.leavesContent();
});

test("who goes elsewhere while a chart is saved has no name of it there", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  const [number] = await numbersOf(visitor, "alpha", ["process_count"]);
  await visitor.page.goto(system.address(`explore?s=${number}`));
  await visitor.drawn("Processes");
  await visitor.page.getByRole("button", { name: "Save as chart" }).click();
  await visitor.page.getByLabel("Name of the chart").fill("Elsewhere");
  const answer = await visitor.delays("**/graphql", (posted) => posted.includes("createChartDataPoint("));
  await visitor.page.getByRole("button", { name: "Save", exact: true }).click();
  await waitFor("it is being saved", async () => visitor.asked.some((query) => query.includes("createChartDataPoint(")));
  await visitor.page.getByRole("link", { name: "Overview", exact: true }).click();
  await visitor.sees(".host-row a", /^alpha$/);
  const saved = visitor.page.waitForResponse((response) => response.request().postData()?.includes("createChartDataPoint(") ?? false);
  answer();
  await (await saved).finished();
  // Going on writes the address of before.
  await visitor.page.getByRole("link", { name: "Charts" }).click();
  await visitor.sees(".saved-name", /Elsewhere/);
  assert.ok(!visitor.page.url().includes("name="), visitor.page.url());
  await visitor.page.goBack();
  await visitor.sees(".host-row a", /^alpha$/);
  assert.ok(!visitor.page.url().includes("name="), visitor.page.url());
  await visitor.leavesContent();
});
