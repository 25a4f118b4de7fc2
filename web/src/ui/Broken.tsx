import { Component, type ReactNode } from "react";
import { t } from "../i18n";
import { EntryPage } from "./EntryPage";

/** A fault of ours must not leave an empty page: says so and offers to load again. */
export class Broken extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: unknown) {
    console.error("the page failed", error);
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <EntryPage>
        <div className="card centred" role="alert">
          <h1>{t("broken.title")}</h1>
          <p className="soft">{t("broken.text")}</p>
          <button className="button primary wide" type="button" onClick={() => window.location.reload()}>
            {t("broken.reload")}
          </button>
        </div>
      </EntryPage>
    );
  }
}
