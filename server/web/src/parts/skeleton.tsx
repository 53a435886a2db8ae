// What stands where figures will be, at the size that they will have.

import { speech } from "../state/language.ts";
import { useStore } from "../state/store.ts";

export function Skeleton({ rows, kind = "row" }: { rows: number; kind?: "row" | "card" }) {
  const { texts } = useStore(speech);
  return (
    <div class={`skeletons of-${kind}`} role="status" aria-label={texts.loading}>
      {Array.from({ length: rows }, (_, at) => <div class="skeleton" key={at} />)}
    </div>
  );
}
