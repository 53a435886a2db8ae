// What is searched for and how it is sorted, as the address tells it.

import type { State } from "../../api/overview.ts";
import { COLUMNS, type Choice, type Column } from "../../series/hosts.ts";
import { amend } from "../../state/router.ts";

const STATES: readonly State[] = ["up", "late", "down", "unknown"];
/** Label filters are told from the other keys of the address by this. */
const LABEL = "label.";

export function choiceOf(query: URLSearchParams): Choice {
  const sort = query.get("sort") ?? "state";
  const column = COLUMNS.find((name) => name === sort.replace(/^-/, "")) ?? "state";
  const states = (query.get("state") ?? "").split(",");
  const labels = [...query].filter(([key]) => key.startsWith(LABEL));
  return {
    search: query.get("q") ?? "",
    states: new Set(STATES.filter((state) => states.includes(state))),
    labels: new Map(labels.map(([key, value]) => [key.slice(LABEL.length), value])),
    column,
    descending: sort.startsWith("-"),
  };
}

export function searchFor(text: string): void {
  amend({ q: text });
}

export function toggleState(choice: Choice, state: State): void {
  const states = new Set(choice.states);
  if (!states.delete(state)) states.add(state);
  amend({ state: [...states].join(",") });
}

export function filterLabel(key: string, value: string): void {
  amend({ [LABEL + key]: value });
}

/** Figures are first sorted with the greatest above, names and states upwards. */
export function sortBy(choice: Choice, column: Column): void {
  const first = column === "host" || column === "state" ? "" : "-";
  const turned = choice.descending ? "" : "-";
  const sort = (choice.column === column ? turned : first) + column;
  amend({ sort: sort === "state" ? undefined : sort });
}

export function showAll(choice: Choice): void {
  const labels = [...choice.labels.keys()].map((key) => [LABEL + key, undefined]);
  amend({ q: undefined, state: undefined, ...Object.fromEntries(labels) });
}
