// How many hosts are in which state, and what is shown of them.

import { useEffect, useRef } from "preact/hooks";
import type { State } from "../../api/overview.ts";
import { whole } from "../../format/number.ts";
import { Icon, StateMark } from "../../parts/marks.tsx";
import type { Choice } from "../../series/hosts.ts";
import { COLUMNS, type Column } from "../../series/hosts.ts";
import { speech } from "../../state/language.ts";
import { amend } from "../../state/router.ts";
import { useStore } from "../../state/store.ts";
import { filterLabel, searchFor, showAll, toggleState } from "./choice.ts";

const STATES: readonly State[] = ["up", "late", "down", "unknown"];

export interface ToolsProps {
  choice: Choice;
  counts: Record<State, number>;
  labels: ReadonlyMap<string, string[]>;
  shown: number;
  /** Null before the first answer. */
  all: number | null;
}

export function Tools({ choice, counts, labels, shown, all }: ToolsProps) {
  const { texts, locale } = useStore(speech);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  const narrowed = choice.search !== "" || choice.states.size > 0 || choice.labels.size > 0;
  return (
    <div class="tools">
      <div class="chips" role="group" aria-label={texts.column.state}>
        {STATES.filter((state) => state !== "unknown" || counts.unknown > 0).map((state) => (
          <button
            key={state}
            class={`chip is-${state}`}
            aria-pressed={choice.states.has(state)}
            title={texts.stateMeaning[state]}
            onClick={() => toggleState(choice, state)}
          >
            <StateMark state={state} />
            <b>{all === null ? "–" : whole(counts[state], locale)}</b> {texts.state[state]}
          </button>
        ))}
      </div>
      <label class="search">
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          value={choice.search}
          placeholder={texts.searchHint}
          aria-label={texts.search}
          aria-keyshortcuts="/"
          onInput={(event) => searchFor(event.currentTarget.value)}
        />
      </label>
      {[...labels].map(([key, values]) => (
        <select
          key={key}
          class="facet"
          aria-label={texts.label[key] ?? key}
          value={choice.labels.get(key) ?? ""}
          onChange={(event) => filterLabel(key, event.currentTarget.value)}
        >
          <option value="">{texts.anyOf(texts.label[key] ?? key)}</option>
          {values.map((value) => <option key={value} value={value}>{value}</option>)}
        </select>
      ))}
      <select
        class="facet sort-select"
        aria-label={texts.sortBy("")}
        value={(choice.descending ? "-" : "") + choice.column}
        onChange={(event) => amend({ sort: event.currentTarget.value })}
      >
        {COLUMNS.map((column) => (
          <option key={column} value={defaultSort(column)}>{texts.sortBy(texts.column[column])}</option>
        ))}
      </select>
      <p class="count" aria-live="polite">
        {all !== null && (narrowed ? texts.ofHosts(whole(shown, locale), whole(all, locale)) : texts.hosts(whole(all, locale), all === 1))}
        {narrowed && <button class="plain" onClick={() => showAll(choice)}>{texts.clear}</button>}
      </p>
    </div>
  );
}

function defaultSort(column: Column): string {
  return column === "host" || column === "state" ? column : `-${column}`;
}
