// Says that the server does not answer, over what is drawn and without moving it.

import { useEffect, useState } from "preact/hooks";
import { clock } from "../format/time.ts";
import { loadSession } from "../api/session.ts";
import { silence } from "../state/connection.ts";
import { now } from "../state/clock.ts";
import { speech } from "../state/language.ts";
import { useStore } from "../state/store.ts";

/** One question that went astray is not worth a word. */
const PATIENCE_MS = 1_500;

export function SilenceNotice() {
  const silent = useStore(silence);
  const { texts, locale } = useStore(speech);
  const [patient, setPatient] = useState(true);
  useEffect(() => {
    setPatient(true);
    if (!silent) return undefined;
    const timer = setTimeout(() => setPatient(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [silent === null]);
  return (
    <div class="notices" role="status" aria-live="polite">
      {silent && !patient && (
        <div class="notice" title={silent.reason}>
          <p>
            <strong>{texts.away(clock(silent.sinceMs, now(), locale))}</strong> {texts.awayMeanwhile}
          </p>
          <button class="button" onClick={() => void loadSession().catch(() => undefined)}>{texts.tryNow}</button>
        </div>
      )}
    </div>
  );
}
