import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { t } from "../i18n";
import { registration } from "../registration/ours";
import { Icon } from "./Icon";
import { Logo } from "./Logo";
import { SettingsDialog } from "./SettingsDialog";

interface Props {
  children: ReactNode;
  wide?: boolean;
  /** Beside the content on wide screens only. */
  aside?: ReactNode;
}

/** Frame of the pages around a meeting: logo above, tagline below, quiet ground. */
export function EntryPage({ children, wide = false, aside }: Props) {
  const [settings, setSettings] = useState(false);
  const main = useRef<HTMLElement>(null);
  const { phase, alias } = useSyncExternalStore(registration.store.subscribe, registration.store.get);
  // A new page begins with its content, not wherever the last one was left.
  useEffect(() => {
    if (document.activeElement === document.body) main.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className="entry brand-background">
      <header className="entry-head">
        <Logo size={34} />
        {phase === "registered" && (
          <span className="reachable-chip small">
            <bdi>{t("reachable.registered", { alias })}</bdi>
          </span>
        )}
        <button
          className="quiet"
          type="button"
          data-testid="open-settings"
          aria-label={t("settings.open")}
          title={t("settings.open")}
          onClick={() => setSettings(true)}
        >
          <Icon name="settings" />
        </button>
      </header>
      <div className={aside ? "entry-columns" : undefined}>
        {aside}
        <main ref={main} tabIndex={-1} className={wide ? "entry-main wide" : "entry-main"}>
          {children}
        </main>
      </div>
      <footer className="entry-foot soft small">{aside ? "" : t("app.tagline")}</footer>
      {settings && <SettingsDialog onClose={() => setSettings(false)} />}
    </div>
  );
}
