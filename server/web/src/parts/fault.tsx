// Why something could not be done, in words.

import { Away, reasonOf, SignedOut } from "../api/faults.ts";
import { speech } from "../state/language.ts";
import { BASE } from "../state/router.ts";
import { useStore } from "../state/store.ts";

export interface FaultProps {
  /** What was thrown; null where nothing was. */
  of: unknown;
  /** Somebody did something. Otherwise the page asked by itself, and tells elsewhere that the server is away or wants a sign-in. */
  deed?: boolean;
}

export function Fault({ of: fault, deed = false }: FaultProps) {
  const { texts } = useStore(speech);
  const reason = fault === null ? null : reasonOf(fault);
  const isTold = fault instanceof Away || fault instanceof SignedOut;
  return (
    <p class="fault" role="alert">
      {reason === null || (isTold && !deed) ? null : fault instanceof SignedOut ? (
        <>{texts.mayNotChange} <a href={`${BASE}signin`}>{texts.signIn}</a></>
      ) : fault instanceof Away ? (
        texts.noAnswer(reason)
      ) : (
        texts.failed(reason)
      )}
    </p>
  );
}
