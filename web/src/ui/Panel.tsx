import type { ReactNode } from "react";
import { t } from "../i18n";
import { Icon } from "./Icon";

interface Props {
  title: string;
  note?: ReactNode;
  onClose(): void;
  children: ReactNode;
}

/** The column beside the picture (a full sheet on small screens). */
export function Panel({ title, note, onClose, children }: Props) {
  return (
    <aside className="panel" aria-label={title}>
      <header className="panel-head">
        <h2>{title}</h2>
        {note}
        <button
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
