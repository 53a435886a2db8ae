// Where in the page one is: the path below /pattoo/ and the query behind it.
// What a view shows can be told from its address, but for what a legend hides.

import { Store } from "./store.ts";

export const BASE = "/pattoo/";

export interface Place {
  /** Below the base, without a slash at its ends: `host/alpha`, or nothing. */
  path: string;
  query: URLSearchParams;
}

export function placeOf(pathname: string, search: string): Place {
  const below = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : "";
  return { path: below.replace(/\/+$/, ""), query: new URLSearchParams(search) };
}

export function addressOf(path: string, query: URLSearchParams): string {
  const search = query.toString();
  return BASE + path + (search === "" ? "" : `?${search}`);
}

/** The address of a host's view. */
export function hostPath(target: string): string {
  return `host/${encodeURIComponent(target)}`;
}

const here = () => placeOf(location.pathname, location.search);

export const place = new Store<Place>(
  typeof location === "undefined" ? placeOf(BASE, "") : here(),
);

/** Browsers let a page change its address only so often. */
const WRITE_MS = 250;

let unwritten: (() => void) | null = null;
let timer = 0;

function write(): void {
  clearTimeout(timer);
  unwritten?.();
  unwritten = null;
}

/** Goes elsewhere, as a link does. Where one was in the view is kept for who comes back. */
export function go(address: string): void {
  write();
  history.replaceState({ ...(history.state as object | null), scroll: scrollY }, "");
  history.pushState(null, "", address);
  stopScrolling();
  place.set(here());
  scrollTo(0, 0);
}

/** Changes the query of the present place; undefined takes a key out. */
export function amend(
  changes: Record<string, string | undefined>,
  how: "replace" | "push" = "replace",
  state: unknown = history.state,
): void {
  const { path, query } = place.get();
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === "") next.delete(key);
    else next.set(key, value);
  }
  const address = addressOf(path, next);
  if (how === "push") {
    write();
    history.pushState(state, "", address);
  } else {
    clearTimeout(timer);
    unwritten = () => history.replaceState(state, "", address);
    timer = window.setTimeout(write, WRITE_MS);
  }
  place.set({ path, query: next });
}

/** So long is waited for a view to be as long as it was: a slow answer may come. */
const GROW_MS = 30_000;
const BY_HAND = ["wheel", "touchstart", "keydown", "pointerdown"] as const;

let stopScrolling = () => {};

/** Scrolls to where one was, once the view is that long; not if somebody scrolls meanwhile. */
function scrollBack(): void {
  stopScrolling();
  const { scroll, ...state } = (history.state ?? {}) as { scroll?: number };
  if (scroll === undefined) return;
  // Once: whoever zooms here and goes back wants to stay in place.
  history.replaceState(state, "");
  const end = performance.now() + GROW_MS;
  let frame = 0;
  stopScrolling = () => {
    cancelAnimationFrame(frame);
    for (const name of BY_HAND) removeEventListener(name, stopScrolling);
  };
  for (const name of BY_HAND) addEventListener(name, stopScrolling, { passive: true });
  const look = () => {
    scrollTo(0, scroll);
    if (Math.abs(scrollY - scroll) < 2 || performance.now() > end) stopScrolling();
    else frame = requestAnimationFrame(look);
  };
  frame = requestAnimationFrame(look);
}

/** The address of what is shown, also if the browser does not show it yet. */
export function presentAddress(): string {
  write();
  return location.href;
}

/** Follows links within the page without loading it anew. */
export function followLinks(): void {
  addEventListener("popstate", () => {
    clearTimeout(timer);
    unwritten = null;
    place.set(here());
    scrollBack();
  });
  addEventListener("pagehide", write);
  document.addEventListener("click", (event) => {
    const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    const link = (event.target as Element | null)?.closest?.("a");
    if (!plain || !link || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || !link.pathname.startsWith(BASE)) return;
    if (link.hash !== "" && link.pathname === location.pathname) return;
    if (link.pathname.startsWith(`${BASE}api/`)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
