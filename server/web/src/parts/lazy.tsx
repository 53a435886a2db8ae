// A view whose code is loaded when it is first shown, or before.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { loadSession } from "../api/session.ts";
import { silence } from "../state/connection.ts";
import { speech } from "../state/language.ts";
import { useStore } from "../state/store.ts";
import { Skeleton } from "./skeleton.tsx";

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
  const begin = async () => {
    try {
      loaded = await load();
    } catch {
      broken = true;
    }
  };

  function Lazy(props: Props) {
    const [missing, setMissing] = useState(false);
    const [, drawAnew] = useState(0);
    const { texts } = useStore(speech);
    useEffect(() => {
      let gone = false;
      let unsubscribe = () => {};
      const bring = async () => {
        if (loaded) return;
        const wasBroken = broken;
        if (!broken) await begin();
        if (loaded) return drawAnew(1);
        try {
          // Is the server away, or does it have a newer page?
          await loadSession();
          if (gone) return;
          if (wasBroken) location.reload();
          else setMissing(true);
        } catch {
          if (!gone) unsubscribe = silence.subscribe((silent) => silent === null && location.reload());
        }
      };
      void bring();
      return () => {
        gone = true;
        unsubscribe();
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
