// A picture of each view, light, dark and on a phone: node build/browser/screenshots.js FOLDER

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fewFigures, history, manyFigures } from "./machine.ts";
import { batch, post, postAll } from "./posting.ts";
import { freePort, System } from "./system.ts";
import { openBrowser, Visitor, type Looks } from "./visitor.ts";
import { waitFor } from "./wait.ts";

const HOUR_MS = 3_600_000;
const ROLES = ["web", "db", "cache", "build", "edge", "mail"];
const LOOKS: Record<string, Looks> = {
  light: { width: 1_440, height: 900 },
  dark: { width: 1_440, height: 900, dark: true },
  phone: { width: 390, height: 844, touch: true },
  // As docs/pictures has them.
  small: { width: 1_340, height: 700 },
  "small-dark": { width: 1_340, height: 700, dark: true },
};

const folder = process.argv[2] ?? "screenshots";
mkdirSync(folder, { recursive: true });
const browser = await openBrowser();
const system = await System.start();
async function takeAll(): Promise<void> {
  await picture("no-data", "", async (visitor) => void (await visitor.sees(".no-data", /./)));
  await fill();
  const drawn = async (visitor: Visitor) => {
    await visitor.page.locator(".legend-value", { hasText: /\d/ }).first().waitFor();
    await waitFor("charts are drawn", async () => (await visitor.page.locator(".plot.is-waiting").count()) === 0);
  };
  await picture("overview", "", async (visitor) => {
    await visitor.sees(".host-row", /build-/);
    await visitor.page.locator('.spark path[d^="M"]').first().waitFor({ state: "attached" });
  });
  await picture("host", "host/web-01?range=24h", async (visitor) => {
    await drawn(visitor);
    const box = await visitor.page.locator(".u-over").first().boundingBox();
    if (box) await visitor.page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2);
  });
  await picture("host-end", "host/web-01?range=24h", async (visitor) => {
    await visitor.page.locator(".group").last().scrollIntoViewIfNeeded();
    await drawn(visitor);
  });
  await picture("machine", "host/arm-board?range=15m", async (visitor) => {
    await visitor.page.locator(".facts-rest summary").click();
    await drawn(visitor);
  });
  await picture("explore", await exploring(), drawn);
  await picture("charts", "charts", async (visitor) => void (await visitor.sees(".saved", /Web servers/)));
  await picture("open", "signin", async (visitor) => void (await visitor.sees("pre", /create user/)));
  const hidden = await Visitor.come(browser, system.origin, LOOKS["light"]);
  await hidden.page.goto(system.address(""));
  await hidden.sees(".host-row", /build-/);
  await system.server.stop();
  await hidden.sees(".notice", /answered/);
  await hidden.page.screenshot({ path: join(folder, "away-light.png") });
  await hidden.leaves();
  system.server.start();
  await system.answers();
  system.createUser("ada", "seven green herons");
  await picture("sign-in", "", async (visitor) => void (await visitor.sees("h1", /Sign in/)));
}

async function picture(name: string, path: string, ready: (visitor: Visitor) => Promise<void>): Promise<void> {
  for (const [look, looks] of Object.entries(LOOKS)) {
    const visitor = await Visitor.come(browser, system.origin, looks);
    await refresh();
    await visitor.page.goto(system.address(path));
    await ready(visitor);
    await visitor.page.waitForTimeout(400);
    await visitor.page.screenshot({ path: join(folder, `${name}-${look}.png`) });
    console.log(join(folder, `${name}-${look}.png`));
    await visitor.leaves();
  }
}

const NAMES = ROLES.flatMap((role) => [1, 2, 3, 4].map((number) => `${role}-0${number}`));
/** Minutes since these were last heard of. */
const SILENT: Record<string, number> = { "edge-03": 54, "mail-02": 2.5 };
const INTERVAL_MS = 60_000;
const figuresOf = (name: string) => (name === "web-01" ? manyFigures : fewFigures);
let filled = false;

/** Twenty-four machines: one told of for a day, the others for an hour; and a real hub, which cannot reach all. */
async function fill(): Promise<void> {
  const now = Date.now();
  for (const [seed, name] of NAMES.entries()) {
    const hours = name === "web-01" ? 24 : 1;
    const silent = (SILENT[name] ?? 0) * INTERVAL_MS;
    const pause: [number, number] | undefined = name === "web-01" ? [now - 15 * HOUR_MS, now - 14 * HOUR_MS] : undefined;
    await postAll(system.agentPort, history(name, seed + 1, now - hours * HOUR_MS, now - silent, INTERVAL_MS, figuresOf(name), pause), INTERVAL_MS, 150);
  }
  const spoke = await system.spoke("arm-board");
  spoke.program.start();
  system.hub([spoke.port, await freePort()]).start();
  filled = true;
}

/** The latest figures of all that are not silent. */
async function refresh(): Promise<void> {
  if (!filled) return;
  // On time, as polls are.
  const timestampMs = Math.floor(Date.now() / INTERVAL_MS) * INTERVAL_MS;
  const loud = [...NAMES.entries()].filter(([, name]) => SILENT[name] === undefined);
  await post(system.agentPort, batch(loud.map(([seed, target]) => ({ target, timestampMs, samples: figuresOf(target)(seed + 1, timestampMs) })), INTERVAL_MS));
}

/** Saves a chart of the web servers, and tells where it is drawn. */
async function exploring(): Promise<string> {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("explore?range=1h&q=memory_percent web"));
  for (const host of ["web-01", "web-02", "web-03"]) await visitor.page.locator(".found-row.is-series").filter({ hasText: host }).first().click();
  await visitor.page.getByRole("button", { name: "Save as chart" }).click();
  await visitor.page.getByLabel("Name of the chart").fill("Web servers: memory");
  await visitor.page.getByRole("button", { name: "Save", exact: true }).click();
  await visitor.sees(".said", /Web servers/);
  const { pathname, search } = new URL(visitor.page.url());
  await visitor.leaves();
  return pathname.slice("/pattoo/".length) + search;
}

try {
  await takeAll();
} finally {
  await browser.close();
  await system.stop();
}
