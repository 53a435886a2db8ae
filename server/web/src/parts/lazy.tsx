// A view whose code is loaded when it is first shown.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { speech } from "../state/language.ts";
import { useStore } from "../state/store.ts";
import { Skeleton } from "./skeleton.tsx";

export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function Lazy(props: Props) {
    const [failed, setFailed] = useState(false);
    const [, drawAnew] = useState(0);
    const { texts } = useStore(speech);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (found) => {
          loaded = found;
          drawAnew(1);
        },
        () => setFailed(true),
      );
    }, []);
    if (loaded) {
      const View = loaded;
      return <View {...props} />;
    }
    if (!failed) return <Skeleton rows={6} />;
    return (
      <section class="message" role="alert">
        <p>{texts.reload}</p>
        <p><button class="button" onClick={() => location.reload()}>{texts.reloadNow}</button></p>
      </section>
    );
  };
}
