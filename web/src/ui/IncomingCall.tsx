import { useEffect, useRef } from "react";
import { t } from "../i18n";
import type { Incoming } from "../registration/registration";
import { notify, ring } from "../registration/ringer";
import { plain } from "../state/roster";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";

interface Props {
  call: Incoming;
  /** Taking it ends the meeting that one is in. */
  inMeeting: boolean;
  onAccept(): void;
  onReject(): void;
}

/** Somebody calls: who, and whether to take it. Rings until that is decided. */
export function IncomingCall({ call, inMeeting, onAccept, onReject }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const alias = plain(call.remote_alias);
  const name = plain(call.remote_display_name) || alias || "–";
  useEffect(() => {
    const before = document.title;
    const element = dialog.current;
    element?.showModal();
    // Whoever is typing must not take or decline the call by that.
    heading.current?.focus();
    const silence = ring();
    const withdraw = notify(t("incoming.title", { name }), t("incoming.to", { alias: call.local_alias }));
    document.title = t("incoming.title", { name });
    return () => {
      silence();
      withdraw();
      element?.close();
      document.title = before;
    };
  }, [name, call.local_alias]);
  return (
    <dialog
      ref={dialog}
      className="dialog incoming"
      aria-labelledby="incoming-title"
      aria-describedby="incoming-about"
      data-testid="incoming"
      onCancel={(event) => event.preventDefault()}
    >
      <div className="incoming-face" aria-hidden="true">
        <Avatar name={name} talking />
      </div>
      <h2 id="incoming-title" ref={heading} tabIndex={-1}>
        {t("incoming.title", { name })}
      </h2>
      <p className="soft" id="incoming-about">
        {alias !== name && <bdi>{alias}</bdi>}
        <span>{t("incoming.to", { alias: call.local_alias })}</span>
        {inMeeting && <span>{t("incoming.leaves")}</span>}
      </p>
      <div className="incoming-buttons">
        <button className="round-call reject" type="button" data-testid="incoming-reject" onClick={onReject}>
          <span>
            <Icon name="leave" size={26} />
          </span>
          {t("incoming.reject")}
        </button>
        <button className="round-call accept" type="button" data-testid="incoming-accept" onClick={onAccept}>
          <span>
            <Icon name="call" size={26} />
          </span>
          {t("incoming.accept")}
        </button>
      </div>
    </dialog>
  );
}
