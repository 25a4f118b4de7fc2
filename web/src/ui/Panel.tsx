import { type ReactNode, useEffect, useRef } from "react";
import { t } from "../i18n";
import { Icon } from "./Icon";

interface Props {
  title: string;
  note?: ReactNode;
  onClose(): void;
  children: ReactNode;
}

/** Where it fills the screen, and the focus has to go there. */
const COVERS = "(max-width: 899px)";

/** The column beside the picture (a full sheet on small screens). */
export function Panel({ title, note, onClose, children }: Props) {
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!window.matchMedia(COVERS).matches) return;
    const before = document.activeElement;
    close.current?.focus();
    return () => {
      // What is behind becomes usable again with the same change of the page.
      requestAnimationFrame(() => before instanceof HTMLElement && before.focus());
    };
  }, []);
  return (
    <aside
      className="panel"
      aria-label={title}
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) onClose();
      }}
    >
      <header className="panel-head">
        <h2>{title}</h2>
        {note}
        <button
          ref={close}
          className="quiet"
          type="button"
          data-testid="close-panel"
          aria-label={t("control.close")}
          onClick={onClose}
        >
          <Icon name="close" size={20} />
        </button>
      </header>
      {children}
    </aside>
  );
}
