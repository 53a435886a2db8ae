// A server that has nothing yet: the first host, and the first user.

import { test } from "node:test";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { fewFigures, history } from "./machine.ts";
import { postAll } from "./posting.ts";
import { browser, stage, system } from "./stage.ts";
import { AWAY, Visitor } from "./visitor.ts";

const USER = "ada";
const PASSWORD = "seven green herons";
/** The browser tells of every answer that is no success. */
const UNAUTHORISED = /status of 401/;

async function signIn(page: Page): Promise<void> {
  await page.getByLabel("User name").fill(USER);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
}

stage();

test("without data the page tells how a host comes here, and shows the first one by itself", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(""));
  await visitor.sees(".no-data", /No data yet/);
  await visitor.sees(".no-data pre", /pattoo_agent_linux_spoked --start/);
  await visitor.page.goto(system.address("charts"));
  await visitor.sees(".message", /No chart is saved yet/);
  await visitor.page.goto(system.address(""));
  const now = Date.now();
  await postAll(system.agentPort, history("first", 1, now - 60_000, now, 10_000, fewFigures), 10_000);
  await visitor.sees(".host-row a", /^first$/);
  await visitor.leavesContent();
});

test("while there are no users the page says that it is open to everyone", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(""));
  await visitor.page.locator(".open-badge").click();
  await visitor.sees("main", /everyone who can reach it can read and change/);
  await visitor.sees("pre", /pattoo_cli create user/);
  await visitor.leavesContent();
});

test("once there is a user the page asks who looks; the user's favourites are kept", async () => {
  const open = await Visitor.come(browser, system.origin);
  await open.page.goto(system.address("explore?range=15m&q=process_count"));
  await open.page.locator(".found-row.is-series").first().click();
  await open.drawn("Processes");
  await open.page.getByRole("button", { name: "Save as chart" }).click();
  await open.page.getByLabel("Name of the chart").fill("Mine");
  await open.page.getByRole("button", { name: "Save", exact: true }).click();
  await open.sees(".said", /Mine/);
  await open.leavesContent();

  system.createUser(USER, PASSWORD);

  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("charts"));
  await visitor.sees("h1", /^Sign in$/);
  await visitor.page.getByLabel("User name").fill(USER);
  await visitor.page.getByLabel("Password").fill("seven green heron");
  await visitor.page.getByRole("button", { name: "Sign in" }).click();
  await visitor.sees(".fault", /do not fit/);
  await visitor.page.getByLabel("Password").fill(PASSWORD);
  await visitor.page.getByRole("button", { name: "Sign in" }).click();
  await visitor.sees(".who", new RegExp(USER));
  // Slow enough for the second click to find the star as it was.
  const answer = await visitor.delays("**/graphql", (posted) => posted.includes("createFavorite("));
  await visitor.page.getByRole("button", { name: "Mark Mine as a favourite" }).dblclick();
  answer();
  await visitor.page.getByRole("button", { name: /Mine is a favourite/ }).waitFor();
  assert.equal(visitor.asked.filter((query) => query.includes("createFavorite(")).length, 1);
  await visitor.page.unroute("**/graphql");
  await visitor.page.reload();
  await visitor.page.getByRole("button", { name: /Mine is a favourite/ }).click();
  await visitor.page.getByRole("button", { name: "Mark Mine as a favourite" }).click();
  await visitor.page.getByRole("button", { name: /Mine is a favourite/ }).waitFor();
  const cookies = await visitor.page.context().cookies();
  assert.deepEqual(cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite })), [{ httpOnly: true, sameSite: "Strict" }]);
  await visitor.page.locator(".who").click();
  await visitor.page.getByRole("button", { name: "Sign out" }).click();
  await visitor.sees("h1", /^Sign in$/);
  await visitor.page.goto(system.address(""));
  await visitor.sees("h1", /^Sign in$/);
  await visitor.leavesContent(UNAUTHORISED);
});

test("who signs in in one tab is signed in in the other, too", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  const other = await visitor.page.context().newPage();
  await other.goto(system.address(""));
  await other.getByRole("button", { name: "Sign in" }).waitFor();
  await visitor.page.goto(system.address(""));
  await visitor.sees("h1", /^Sign in$/);
  await signIn(visitor.page);
  await visitor.sees(".host-row a", /^first$/);
  await other.evaluate(() => dispatchEvent(new Event("focus")));
  await other.locator(".host-row a").first().waitFor();
  await visitor.leavesContent(UNAUTHORISED);
});

test("where everyone may read, a session that ended hinders changes, and says so, but nothing else", async () => {
  const restart = async () => {
    await system.server.stop();
    system.letEveryoneRead();
    system.server.start();
    await system.answers();
  };
  await restart();
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("signin"));
  await signIn(visitor.page);
  await visitor.sees(".who", new RegExp(USER));
  await visitor.page.goto(system.address("explore?range=15m&q=process_count"));
  await visitor.page.locator(".found-row.is-series").first().click();
  await visitor.drawn("Processes");
  await visitor.page.getByRole("button", { name: "Save as chart" }).click();
  await visitor.page.getByLabel("Name of the chart").fill("Too late");
  await restart();
  await visitor.page.getByRole("button", { name: "Save", exact: true }).click();
  await visitor.sees(".actions .fault", /Sign in to change anything/);
  await visitor.sees(".who", /^Sign in$/);
  assert.ok((await visitor.ink("Processes")) > 20, "what is read is still there");
  await visitor.page.locator(".actions .fault a").click();
  await signIn(visitor.page);
  await visitor.sees(".who", new RegExp(USER));
  await visitor.leavesContent(new RegExp(`${UNAUTHORISED.source}|${AWAY.source}`));
});
