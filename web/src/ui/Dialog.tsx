import { type ReactNode, useEffect, useId, useRef } from "react";
import { t } from "../i18n";
import { Icon } from "./Icon";

/** A modal dialog; the browser keeps the focus inside and closes it on Escape. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose(): void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={id} onCancel={onClose}>
      <header className="dialog-head">
        <h2 id={id}>{title}</h2>
        <button className="quiet" type="button" aria-label={t("control.close")} onClick={onClose}>
          <Icon name="close" size={20} />
        </button>
      </header>
      {children}
    </dialog>
  );
}
