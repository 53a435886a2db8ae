import "./style/base.css";
import "./style/frame.css";
import "./style/overview.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { startLanguage } from "./state/language.ts";
import { followLinks } from "./state/router.ts";
import { startTheme } from "./state/theme.ts";

startTheme();
followLinks();
const page = document.getElementById("page");
void startLanguage().then(() => page && render(<App />, page));
