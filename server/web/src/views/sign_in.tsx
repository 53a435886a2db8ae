// Signing in, and out; or why there is nothing to sign in to.

import { useEffect, useState } from "preact/hooks";
import { reasonOf, SignedOut } from "../api/faults.ts";
import { session, signIn, signInWanted, signOut } from "../api/session.ts";
import { speech } from "../state/language.ts";
import { BASE, go } from "../state/router.ts";
import { useStore } from "../state/store.ts";

export function SignInView() {
  const { texts } = useStore(speech);
  const known = useStore(session);
  const open = known?.open ?? false;
  useEffect(() => {
    document.title = `${open ? texts.openBadge : texts.signIn} · Pattoo`;
  }, [texts, open]);
  if (!known) return null;
  return (
    <section class="card narrow">
      <h1>{known.open ? texts.openBadge : known.user ? texts.signedInAs(known.user.username) : texts.signIn}</h1>
      {known.open ? <Open /> : known.user ? <Leave /> : <Form />}
    </section>
  );
}

function Open() {
  const { texts } = useStore(speech);
  return (
    <>
      <p>{texts.openNotice}</p>
      <p>{texts.signInOpen}</p>
      <pre>pattoo_cli create user --username ada --name 'Ada Lovelace'</pre>
    </>
  );
}

function Leave() {
  const { texts } = useStore(speech);
  return (
    <p>
      <button class="button" onClick={() => void signOut().catch(() => undefined)}>{texts.signOut}</button>{" "}
      <a class="button" href={BASE}>{texts.toOverview}</a>
    </p>
  );
}

function Form() {
  const { texts } = useStore(speech);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const wanted = useStore(signInWanted);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setFault("");
    try {
      await signIn(String(form.get("username")), String(form.get("password")));
      if (location.pathname === `${BASE}signin`) go(BASE);
    } catch (reason) {
      setFault(reason instanceof SignedOut ? texts.wrongPassword : (reasonOf(reason) ?? ""));
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={(event) => void submit(event)}>
      {wanted && <p>{texts.signInLead}</p>}
      <label>{texts.username}<input name="username" autocomplete="username" required autofocus /></label>
      <label>{texts.password}<input name="password" type="password" autocomplete="current-password" required /></label>
      <p class="fault" role="alert">{fault}</p>
      <button class="button primary" disabled={busy}>{texts.signIn}</button>
    </form>
  );
}
