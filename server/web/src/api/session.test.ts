import { test } from "node:test";
import assert from "node:assert/strict";
import { loadSession, session, signIn } from "./session.ts";

const NOBODY = { open: false, user: null, mayChange: false, version: "1" };
const ADA = { ...NOBODY, user: { username: "ada", firstName: "", lastName: "", role: "", idxUser: "1" }, mayChange: true };

test("an answer from before a sign-in that comes behind it changes nothing", async () => {
  let answer: (response: Response) => void = () => undefined;
  globalThis.fetch = (_path, init) =>
    init?.method === "POST" ? Promise.resolve(new Response(JSON.stringify(ADA))) : new Promise((resolve) => (answer = resolve));
  const asked = loadSession();
  await signIn("ada", "seven green herons");
  answer(new Response(JSON.stringify(NOBODY)));
  await asked;
  assert.deepEqual(session.get(), ADA);
});

test("of two questions the later one tells who looks", async () => {
  const answers: ((response: Response) => void)[] = [];
  globalThis.fetch = () => new Promise((resolve) => answers.push(resolve));
  const asked = [loadSession(), loadSession()];
  answers[1]?.(new Response(JSON.stringify(NOBODY)));
  answers[0]?.(new Response(JSON.stringify(ADA)));
  await Promise.all(asked);
  assert.deepEqual(session.get(), NOBODY);
});
