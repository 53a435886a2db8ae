// The language of the page: the browser's, if it is one that the page has.

import { en, type Texts } from "../text/en.ts";
import { remember, remembered } from "./storage.ts";
import { Store } from "./store.ts";

export type Language = "en" | "es";

const KEY = "pattoo.language";

/** The first of the wanted languages that there is. */
export function choose(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const code = tag.slice(0, 2).toLowerCase();
    if (code === "en" || code === "es") return code;
  }
  return "en";
}

/** What the browser wants, with its region: for numbers and dates. */
export function localeFor(language: Language, wanted: readonly string[]): string {
  return wanted.find((tag) => tag.slice(0, 2).toLowerCase() === language) ?? language;
}

export interface Speech {
  language: Language;
  locale: string;
  texts: Texts;
}

export const speech = new Store<Speech>({ language: "en", locale: "en", texts: en });

/** Counts the choices: the words of an older one may come later. */
let latest = 0;

export async function speak(language: Language): Promise<void> {
  const own = (latest += 1);
  const texts = language === "es" ? (await import("../text/es.ts")).es : en;
  if (own !== latest) return;
  document.documentElement.lang = language;
  speech.set({ language, locale: localeFor(language, navigator.languages), texts });
}

export async function startLanguage(): Promise<void> {
  const kept = remembered(KEY);
  try {
    await speak(choose(kept === null ? navigator.languages : [kept, ...navigator.languages]));
  } catch {
    // Without its words the page speaks English.
    await speak("en");
  }
}

export async function chooseLanguage(language: Language): Promise<void> {
  remember(KEY, language);
  await speak(language);
}

