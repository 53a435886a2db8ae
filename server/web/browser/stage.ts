// The browser and the server that the tests of one file share.

import { after, afterEach, before } from "node:test";
import type { Browser } from "playwright-core";
import { System } from "./system.ts";
import { openBrowser } from "./visitor.ts";

export let browser: Browser;
export let system: System;

/** Sets the stage before the first test of a file, and clears it behind the last. */
export function stage(prepare: () => Promise<void> | void = () => undefined): void {
  before(async () => {
    browser = await openBrowser();
    system = await System.start();
    await prepare();
  });
  // One test that fails takes no other along: nobody looks on, and the server is there.
  afterEach(async () => {
    await Promise.all((browser?.contexts() ?? []).map((context) => context.close()));
    if (!system || system.server.pid !== 0) return;
    system.server.start();
    await system.answers();
  });
  after(async () => {
    await browser?.close();
    await system?.stop();
  });
}
