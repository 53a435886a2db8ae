// The bar at the top: the views, the colours, and who looks.

import { session } from "../api/session.ts";
import { speech } from "../state/language.ts";
import { BASE } from "../state/router.ts";
import { useStore } from "../state/store.ts";
import { nextTheme, theme } from "../state/theme.ts";
import { Icon } from "./marks.tsx";

export function Header({ path }: { path: string }) {
  const { texts } = useStore(speech);
  const known = useStore(session);
  const chosen = useStore(theme);
  const here = (part: string) => (path === part ? "page" : undefined);
  return (
    <header class="bar">
      <a class="brand" href={BASE} aria-label={`Pattoo, ${texts.overview}`}>
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M6 19h5l3-9 5 14 3-8h4" />
        </svg>
        <span>Pattoo</span>
      </a>
      <nav>
        <a href={BASE} aria-current={path.startsWith("host/") ? "true" : here("")}>{texts.overview}</a>
        <a href={`${BASE}explore`} aria-current={here("explore")}>{texts.explore}</a>
        <a href={`${BASE}charts`} aria-current={here("charts")}>{texts.charts}</a>
      </nav>
      <div class="bar-end">
        {known?.open && (
          <a class="open-badge" href={`${BASE}signin`} title={texts.openNotice}>
            <Icon name="open" /><span>{texts.openBadge}</span>
          </a>
        )}
        {known && !known.open && (
          <a class="who" href={`${BASE}signin`} aria-current={here("signin")}>
            {known.user ? known.user.username : texts.signIn}
          </a>
        )}
        <button class="quiet" onClick={nextTheme} aria-label={texts.theme[chosen]} title={texts.theme[chosen]}>
          <Icon name={chosen} />
        </button>
      </div>
    </header>
  );
}
