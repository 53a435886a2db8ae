// The frame around every view, and which view stands in it.

import { useEffect } from "preact/hooks";
import { loadSession, session, signInWanted } from "./api/session.ts";
import { Footer } from "./parts/footer.tsx";
import { Header } from "./parts/header.tsx";
import { lazy } from "./parts/lazy.tsx";
import { SilenceNotice } from "./parts/silence_notice.tsx";
import { speech } from "./state/language.ts";
import { live } from "./state/live.ts";
import { BASE, place } from "./state/router.ts";
import { useStore } from "./state/store.ts";
import { OverviewView } from "./views/overview.tsx";
import { SignInView } from "./views/sign_in.tsx";

const HostView = lazy(async () => (await import("./views/host.tsx")).HostView);
const ExploreView = lazy(async () => (await import("./views/explore.tsx")).ExploreView);
const ChartsView = lazy(async () => (await import("./views/charts.tsx")).ChartsView);

/** The session changes seldom: by a sign-in elsewhere, or the first user. */
const SESSION_MS = 300_000;

export function App() {
  const { path } = useStore(place);
  const { texts } = useStore(speech);
  const wanted = useStore(signInWanted);
  const known = useStore(session);
  useEffect(() => live(() => loadSession(), SESSION_MS).stop, []);
  return (
    <>
      <a class="skip" href="#content">{texts.skip}</a>
      <Header path={path} />
      <main id="content" tabIndex={-1}>
        {wanted && !known?.user ? <SignInView /> : <View path={path} />}
      </main>
      <Footer />
      <SilenceNotice />
    </>
  );
}

function View({ path }: { path: string }) {
  const { texts } = useStore(speech);
  if (path === "") return <OverviewView />;
  if (path.startsWith("host/")) {
    const target = decoded(path.slice("host/".length));
    return <HostView key={target} target={target} />;
  }
  if (path === "explore") return <ExploreView />;
  if (path === "charts") return <ChartsView />;
  if (path === "signin") return <SignInView />;
  return (
    <section class="message">
      <p>{texts.notFound}</p>
      <p><a class="button" href={BASE}>{texts.toOverview}</a></p>
    </section>
  );
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
