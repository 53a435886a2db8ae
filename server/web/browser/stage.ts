// The browser and the server that the tests of one file share.

import { after, before } from "node:test";
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
  after(async () => {
    await browser?.close();
    await system?.stop();
  });
}
