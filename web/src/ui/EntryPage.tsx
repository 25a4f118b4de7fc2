import type { ReactNode } from "react";
import { t } from "../i18n";
import { Logo } from "./Logo";

interface Props {
  children: ReactNode;
  wide?: boolean;
  /** Beside the content on wide screens only. */
  aside?: ReactNode;
}

/** Frame of the pages around a meeting: logo above, tagline below, quiet ground. */
export function EntryPage({ children, wide = false, aside }: Props) {
  return (
    <div className="entry">
      <header className="entry-head">
        <Logo size={34} />
      </header>
      <div className={aside ? "entry-columns" : undefined}>
        {aside}
        <main className={wide ? "entry-main wide" : "entry-main"}>{children}</main>
      </div>
      <footer className="entry-foot soft small">{aside ? "" : t("app.tagline")}</footer>
    </div>
  );
}
