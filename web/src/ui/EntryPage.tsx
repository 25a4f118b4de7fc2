import type { ReactNode } from "react";
import { t } from "../i18n";
import { Logo } from "./Logo";

/** Frame of the pages around a meeting: logo above, tagline below, quiet ground. */
export function EntryPage({ children, wide = false }: { children: ReactNode; wide?: boolean }) {
  return (
    <div className="entry">
      <header className="entry-head">
        <Logo size={34} />
      </header>
      <main className={wide ? "entry-main wide" : "entry-main"}>{children}</main>
      <footer className="entry-foot soft small">{t("app.tagline")}</footer>
    </div>
  );
}
