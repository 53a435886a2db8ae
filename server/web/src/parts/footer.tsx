// The line at the end: which server this is, who may read it, and in which language.

import { session } from "../api/session.ts";
import { chooseLanguage, speech, type Language } from "../state/language.ts";
import { useStore } from "../state/store.ts";

const LANGUAGES: [Language, string][] = [["en", "English"], ["es", "Español"]];

export function Footer() {
  const { texts, language } = useStore(speech);
  const known = useStore(session);
  return (
    <footer class="foot">
      <p>
        {known ? texts.version(known.version) : ""}
        {known?.open && <> · {texts.openNotice}</>}
      </p>
      <label>
        {texts.language}{" "}
        <select value={language} onChange={(event) => void chooseLanguage(event.currentTarget.value as Language)}>
          {LANGUAGES.map(([code, name]) => <option key={code} value={code}>{name}</option>)}
        </select>
      </label>
    </footer>
  );
}
