// What the page costs: node build/browser/bench.js. A thousand hosts of ten series,
// and one with a day of some thirty charts; figures are printed, and those beyond
// what is wanted make the exit code 1.

import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { fewFigures, history, manyFigures } from "./machine.ts";
import { batch, post, postAll } from "./posting.ts";
import { System } from "./system.ts";
import { openBrowser, Visitor } from "./visitor.ts";
import { waitFor } from "./wait.ts";

const HOSTS = 1_000;
const HOUR_MS = 3_600_000;
const INTERVAL_MS = 10_000;
const ROUNDS = 5;
const LIVE_S = Number(process.env["LIVE_SECONDS"] ?? 60);
/** A day posted at once is sealed in the background, as no real day is; so long it is left to that. */
const SEALING_MS = 45_000;
/** The host whose view is measured. */
const BIG = "host-big";
const USER_HZ = 100;

const LIMITS = { weightKb: 120, overviewMs: 1_000, hostMs: 1_000, grownMb: 8, serverPercent: 2 };
let beyond = 0;

function tell(what: string, value: number, unit: string, most?: number): void {
  const over = most !== undefined && value > most;
  if (over) beyond += 1;
  console.log(`${what}: ${value.toFixed(value < 10 ? 2 : 0)} ${unit}${most === undefined ? "" : ` (at most ${most})`}${over ? "  <-- TOO MUCH" : ""}`);
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const browser = await openBrowser();
const system = await System.start();
let posting = true;
try {
  await fill();
  const poster = keepPosting();
  await weigh();
  await overview();
  await host();
  await live();
  posting = false;
  await poster;
} finally {
  posting = false;
  await browser.close();
  await system.stop();
}
process.exitCode = beyond > 0 ? 1 : 0;

async function fill(): Promise<void> {
  const now = Date.now();
  for (let ago = 6; ago >= 0; ago -= 1) await postAll(system.agentPort, everyHost(now - ago * 10 * INTERVAL_MS), INTERVAL_MS, HOSTS);
  await postAll(system.agentPort, history(BIG, 7, now - 24 * HOUR_MS, now, INTERVAL_MS, manyFigures), INTERVAL_MS, 120);
  await new Promise((rest) => setTimeout(rest, SEALING_MS));
}

function everyHost(timestampMs: number) {
  return Array.from({ length: HOSTS }, (_, at) => ({ target: `host-${String(at).padStart(4, "0")}`, timestampMs, samples: fewFigures(at, timestampMs) }));
}

/** What lives posts: all hosts, every interval. */
async function keepPosting(): Promise<void> {
  while (posting) {
    const now = Date.now();
    await post(system.agentPort, batch(everyHost(now), INTERVAL_MS));
    for (let rest = now + INTERVAL_MS - Date.now(); posting && rest > 0; rest -= 200) await new Promise((waited) => setTimeout(waited, Math.min(200, rest)));
  }
}

/** Everything that the first view loads, as it comes over the network. */
async function weigh(): Promise<void> {
  const visitor = await Visitor.come(browser, system.origin);
  const files: Promise<number>[] = [];
  visitor.page.on("response", (response) => {
    if (!response.url().includes("/api/")) files.push(response.request().sizes().then((sizes) => sizes.responseBodySize + sizes.responseHeadersSize));
  });
  await visitor.page.goto(system.address(""));
  await visitor.sees(".host-row", /host-/);
  const bytes = (await Promise.all(files)).reduce((sum, size) => sum + size, 0);
  tell("first view, compressed, headers and all", bytes / 1_000, "kB", LIMITS.weightKb);
  await visitor.leaves();
}

/** Milliseconds from the request to what `drawn` says, in the page's own clock. */
async function timed(path: string, drawn: string): Promise<number> {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.addInitScript((selector: string) => {
    const look = () => {
      if (document.querySelector(selector)) requestAnimationFrame(() => ((window as { drawnMs?: number }).drawnMs = performance.now()));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, drawn);
  await visitor.page.goto(system.address(path));
  await visitor.page.waitForFunction(() => (window as { drawnMs?: number }).drawnMs !== undefined);
  const ms = await visitor.page.evaluate(() => (window as { drawnMs?: number }).drawnMs ?? 0);
  await visitor.leaves();
  return ms;
}

async function overview(): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await timed("", ".host-row .figure"));
  tell(`overview of ${HOSTS} hosts drawn, median of ${ROUNDS}`, median(times), "ms", LIMITS.overviewMs);
}

async function host(): Promise<void> {
  const times: number[] = [];
  // Every chart near the screen has what it wants.
  for (let round = 0; round < ROUNDS; round += 1) times.push(await timed(`host/${BIG}?range=24h`, ".host:has(.chart canvas):not(:has(.plot.is-waiting))"));
  tell(`host drawn, 24 h at 10 s, median of ${ROUNDS}`, median(times), "ms", LIMITS.hostMs);
  const visitor = await Visitor.come(browser, system.origin, { height: 12_000 });
  await visitor.page.goto(system.address(`host/${BIG}?range=24h`));
  await visitor.page.locator(".chart canvas").first().waitFor();
  await waitFor("all charts have their points", async () => (await visitor.page.locator(".plot.is-waiting").count()) === 0);
  const charts = await visitor.page.locator(".chart canvas").count();
  const panning = await visitor.page.evaluate(async () => {
    const gaps: number[] = [];
    let before = performance.now();
    for (let step = 0; step < 20; step += 1) {
      dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
      await new Promise((frame) => requestAnimationFrame(frame));
      gaps.push(performance.now() - before);
      before = performance.now();
    }
    return Math.max(...gaps);
  });
  tell(`longest frame while ${charts} charts are panned at once`, panning, "ms");
  await visitor.leaves();
}

async function heap(page: Page): Promise<number> {
  const client = await page.context().newCDPSession(page);
  await client.send("HeapProfiler.collectGarbage");
  const { usedSize } = (await client.send("Runtime.getHeapUsage")) as { usedSize: number };
  await client.detach();
  return usedSize / 1e6;
}

function serverCpuMs(): number {
  const fields = readFileSync(`/proc/${system.server.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / USER_HZ;
}

async function live(): Promise<void> {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(""));
  await visitor.sees(".host-row", /host-/);
  await visitor.page.waitForTimeout(12_000);
  const [first, started] = [await heap(visitor.page), Date.now()];
  const watched = serverCpuMs();
  await visitor.page.waitForTimeout(LIVE_S * 1_000);
  const [with_, seconds] = [serverCpuMs() - watched, (Date.now() - started) / 1_000];
  const last = await heap(visitor.page);
  await visitor.leaves();
  const idle = serverCpuMs();
  const from = Date.now();
  await new Promise((rest) => setTimeout(rest, Math.min(30, LIVE_S) * 1_000));
  const without = (serverCpuMs() - idle) / ((Date.now() - from) / 1_000);
  tell("JS heap, after it has settled", first, "MB");
  tell(`JS heap, ${LIVE_S} s later`, last, "MB");
  tell("grown", Math.max(0, last - first), "MB", LIMITS.grownMb);
  tell("server's work for this viewer (of one core; what it takes to store is taken off)", Math.max(0, with_ / seconds - without) / 10, "%", LIMITS.serverPercent);
}
