// Whether an element is on the screen, or soon will be.

import { useEffect, useState } from "preact/hooks";
import type { RefObject } from "preact";

const MARGIN = "500px 0px";

export function useNear(element: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    if (!element.current) return undefined;
    const watcher = new IntersectionObserver(
      // The last tells how it is now.
      (entries) => setNear(entries.at(-1)?.isIntersecting ?? false),
      { rootMargin: MARGIN },
    );
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, [element]);
  return near;
}
