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

const host = lazy(async () => (await import("./views/host.tsx")).HostView);
const explore = lazy(async () => (await import("./views/explore.tsx")).ExploreView);
const charts = lazy(async () => (await import("./views/charts.tsx")).ChartsView);

/** The other views are fetched once the first one is there, so that the server may be away when they are wanted. */
const REST_MS = 2_000;
/** The session changes seldom: by a sign-in elsewhere, or the first user. */
const SESSION_MS = 300_000;

export function App() {
  const { path } = useStore(place);
  const { texts } = useStore(speech);
  const wanted = useStore(signInWanted);
  const known = useStore(session);
  useEffect(() => {
    const timer = setTimeout(() => [host, explore, charts].forEach((view) => view.fetch()), REST_MS);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    const loop = live(() => loadSession(), SESSION_MS);
    // Who comes back may have signed in, or out, in another window.
    const look = () => document.hidden || loop.now();
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      loop.stop();
      removeEventListener("focus", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
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
    return <host.View key={target} target={target} />;
  }
  if (path === "explore") return <explore.View />;
  if (path === "charts") return <charts.View />;
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
