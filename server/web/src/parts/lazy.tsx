// A view whose code is loaded when it is first shown, or before.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { loadSession } from "../api/session.ts";
import { speech } from "../state/language.ts";
import { live, type Live } from "../state/live.ts";
import { useStore } from "../state/store.ts";
import { Skeleton } from "./skeleton.tsx";

/** How often the server is asked whether it is there, while live.ts says nothing else. */
const ASK_MS = 10_000;

export interface LazyView<Props> {
  View: ComponentType<Props>;
  /** Loads the code for later. */
  fetch(): void;
}

export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): LazyView<Props> {
  let loaded: ComponentType<Props> | null = null;
  // Browsers may remember that a module failed, and its style sheet is not asked for
  // twice: from then on only a new page has it. The address brings back the view.
  let broken = false;
  // Once for all who wait: a second import would not wait for the style sheet, which
  // the first has asked for.
  let coming: Promise<void> | null = null;
  const begin = () =>
    (coming ??= load().then(
      (View) => void (loaded = View),
      () => void (broken = true),
    ));

  function Lazy(props: Props) {
    const [missing, setMissing] = useState(false);
    const [, drawAnew] = useState(0);
    const { texts } = useStore(speech);
    useEffect(() => {
      let gone = false;
      let loop: Live | null = null;
      const bring = async () => {
        if (loaded) return;
        // Failed before, or the server is away: otherwise it has a newer page.
        let mayCome = broken;
        if (!broken) await begin();
        if (gone) return;
        if (loaded) return drawAnew(1);
        loop = live(async () => {
          try {
            await loadSession();
          } catch (fault) {
            mayCome = true;
            throw fault;
          }
          loop?.stop();
          if (mayCome) location.reload();
          else setMissing(true);
        }, ASK_MS);
      };
      void bring();
      return () => {
        gone = true;
        loop?.stop();
      };
    }, []);
    if (loaded) {
      const View = loaded;
      return <View {...props} />;
    }
    if (!missing) return <Skeleton rows={6} />;
    return (
      <section class="message" role="alert">
        <p>{texts.reload}</p>
        <p><button class="button" onClick={() => location.reload()}>{texts.reloadNow}</button></p>
      </section>
    );
  }
  const fetch = () => {
    if (!loaded && !broken) void begin();
  };
  return { View: Lazy, fetch };
}
