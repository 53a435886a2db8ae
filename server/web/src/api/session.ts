// Who looks at the page.

import { Store } from "../state/store.ts";
import { request } from "./request.ts";

const PATH = "/pattoo/api/v1/web/session";

export interface User {
  username: string;
  firstName: string;
  lastName: string;
  role: string;
  idxUser: string;
}

export interface Session {
  /** No user exists: everyone who reaches the server may read and change. */
  open: boolean;
  user: User | null;
  mayChange: boolean;
  version: string;
  /** How far back figures are kept, in the coarsest form. */
  retentionDays?: number;
}

/** Null until the server has told. */
export const session = new Store<Session | null>(null);

const USUAL_RETENTION_DAYS = 3_653;

/** How far back figures are kept. */
export function retentionDays(): number {
  return session.get()?.retentionDays ?? USUAL_RETENTION_DAYS;
}

/** Whether the server wants a sign-in before it answers anything. */
export const signInWanted = new Store(false);

/** Counts what changes the session or asks for it: an older answer may come later. */
let latest = 0;

export async function loadSession(): Promise<void> {
  const own = (latest += 1);
  const told = (await request(PATH)) as Session;
  if (own === latest) session.set(told);
}

export async function signIn(username: string, password: string): Promise<void> {
  const told = (await request(PATH, { method: "POST", body: { username, password } })) as Session;
  latest += 1;
  session.set(told);
  signInWanted.set(false);
}

export async function signOut(): Promise<void> {
  await request(PATH, { method: "DELETE" });
  await loadSession();
}

/** An answer of the server said so: to a change, or even to a question. */
export function signedOut(change: boolean): void {
  const known = session.get();
  if (known) session.set({ ...known, open: false, user: null, mayChange: false });
  if (!change) signInWanted.set(true);
  // It may be that only this page knew nothing of it.
  void loadSession().catch(() => undefined);
}
