// Light or dark: as the system has it, unless one was chosen here.

import { remember, remembered } from "./storage.ts";
import { Store } from "./store.ts";

export type Theme = "system" | "light" | "dark";

const KEY = "pattoo.theme";
const CYCLE: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function chosenBefore(): Theme {
  const kept = remembered(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export const theme = new Store<Theme>("system");

/** Counts up when colours change, so that what is drawn on a canvas is drawn anew. */
export const colours = new Store(0);

/** The style sheet goes by `data-theme` alone, which is always set. */
export function startTheme(): void {
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = theme.get();
    document.documentElement.dataset["theme"] = chosen === "system" ? (systemIsDark.matches ? "dark" : "light") : chosen;
    colours.set(colours.get() + 1);
  };
  theme.set(chosenBefore());
  apply();
  theme.subscribe(apply);
  systemIsDark.addEventListener("change", apply);
}

export function nextTheme(): void {
  const next = CYCLE[theme.get()];
  remember(KEY, next === "system" ? null : next);
  theme.set(next);
}
