import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./ui/App";
import { Broken } from "./ui/Broken";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/entry.css";
import "./styles/meeting.css";
import "./styles/panel.css";

const root = document.getElementById("root");
if (!root) throw new Error("no #root in the page");
createRoot(root).render(
  <StrictMode>
    <Broken>
      <App />
    </Broken>
  </StrictMode>,
);
