import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { loadBranding } from "./branding/branding";
import { recall } from "./devices/memory";
import { speak } from "./i18n";
import { registerWorker } from "./pwa";
import { resume } from "./registration/ours";
import { applyTheme } from "./theme";
import { App } from "./ui/App";
import { Broken } from "./ui/Broken";
import { rootOf } from "./ui/routes";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/dialogs.css";
import "./styles/entry.css";
import "./styles/meeting.css";
import "./styles/stage.css";
import "./styles/panel.css";
import "./styles/chat.css";
import "./styles/rooms.css";
import "./styles/registration.css";
import "./styles/statistics.css";

/** A server that does not answer must not keep the page empty. */
const PATIENCE = 1_500;

const root = document.getElementById("root");
if (!root) throw new Error("no #root in the page");
const { language, theme } = recall();
applyTheme(theme);
speak(language);
registerWorker();
resume();
await Promise.race([
  loadBranding(rootOf(window.location.pathname)),
  new Promise((resolve) => setTimeout(resolve, PATIENCE)),
]);
createRoot(root).render(
  <StrictMode>
    <Broken>
      <App />
    </Broken>
  </StrictMode>,
);
