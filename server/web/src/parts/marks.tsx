// Small drawings. A state has a shape of its own, so that colour is not needed to
// tell it.

import type { State } from "../api/overview.ts";
import { speech } from "../state/language.ts";
import { useStore } from "../state/store.ts";

const SHAPES: Record<State, string> = {
  up: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z",
  late: "M8 1.6 15 14H1z",
  down: "M2.5 2.5h11v11h-11z",
  unknown: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 2.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6z",
};

export function StateMark({ state }: { state: State }) {
  return (
    <svg class={`mark is-${state}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[state]} fill-rule="evenodd" />
    </svg>
  );
}

export function StateName({ state }: { state: State }) {
  const { texts } = useStore(speech);
  return (
    <span class={`state is-${state}`} title={texts.stateMeaning[state]}>
      <StateMark state={state} /> {texts.state[state]}
    </span>
  );
}

const DRAWINGS = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4 14 14",
  system: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 2.5v11M10.5 4v8",
  light: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M13 3l-1.2 1.2M4.2 11.8 3 13",
  dark: "M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z",
  open: "M4.5 7.5h7v6h-7zM6 7.5V5a2.4 2.4 0 0 1 4.6-1",
  left: "M10 3 5 8l5 5",
  right: "M6 3l5 5-5 5",
  closer: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4 14 14M5 7h4M7 5v4",
  wider: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4 14 14M5 7h4",
  back: "M6 4 2.5 7.5 6 11M2.5 7.5h7a4 4 0 0 1 0 6H8",
  star: "M8 1.8l1.9 4 4.4.6-3.2 3 .8 4.3L8 11.6l-3.9 2.1.8-4.3-3.2-3 4.4-.6z",
  down: "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10",
  link: "M6.5 9.5l3-3M7 4.5l1.2-1.2a3 3 0 0 1 4.4 4.4L11.500 9M9 11.500l-1.200 1.200a3 3 0 0 1-4.400-4.400L4.500 7",
  cross: "M4 4l8 8M12 4l-8 8",
  save: "M3 3h8l2 2v8H3zM5.500 3v3.500h4.500V3M5 13V9.500h6V13",
} as const;

export type IconName = keyof typeof DRAWINGS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={DRAWINGS[name]} />
    </svg>
  );
}
