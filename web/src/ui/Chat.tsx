import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { ParticipantRecord } from "../api/types";
import { locale, t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { type ChatLine, pieces } from "../state/chat";
import type { MeetingState } from "../state/meeting";
import { nameOf } from "../state/roster";
import { Icon } from "./Icon";

interface Props {
  meeting: Meeting;
  state: MeetingState;
  /** Whom to write to; undefined: everyone. */
  to: string | undefined;
  onTo(uuid: string | undefined): void;
}

/** Pixels from the end of the messages that still count as being there. */
const NEAR = 60;

/** Messages to everyone or to one, and what happened meanwhile. */
export function Chat({ meeting, state, to, onTo }: Props) {
  const [text, setText] = useState("");
  const log = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const input = useRef<HTMLTextAreaElement>(null);
  const { chat: lines, roster, self } = state;
  const others = [...roster.byUuid.values()].filter(
    (row) => row.uuid !== self && row.supports_direct_chat && row.service_type !== "waiting_room",
  );
  const target = others.find((row) => row.uuid === to);
  const gone = to !== undefined && !target; // What was meant for one is not sent to everyone.
  // biome-ignore lint/correctness/useExhaustiveDependencies: scroll when a line was added
  useEffect(() => {
    // Who reads further up is not torn away from it by others.
    if (atEnd.current || lines.at(-1)?.own) log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [lines.length]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: to write at once, also when asked to from elsewhere
  useEffect(() => {
    // On a touch screen the keyboard would cover what there is to read.
    if (window.matchMedia("(pointer: fine)").matches) input.current?.focus();
  }, [to]);
  const scrolled = () => {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = log.current ?? {};
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR;
  };
  const typed = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const message = text.trim();
    if (!message || gone) return;
    setText("");
    void meeting.say(message, target);
  };
  const toOne = gone ? t("chat.gone") : target && t("chat.toOne", { name: nameOf(target) });
  const label = toOne ?? t("chat.label");
  return (
    <>
      <div
        ref={log}
        className="chat"
        role="log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: there is nothing else in it to scroll from with the keyboard
        tabIndex={0}
        aria-label={t("chat.title")}
        data-testid="chat"
        onScroll={scrolled}
      >
        {lines.length === 0 && <p className="soft chat-empty">{t("chat.empty")}</p>}
        {lines.map((line) => (
          <Line key={line.id} line={line} />
        ))}
      </div>
      {(others.length > 0 || gone) && <Recipient others={others} to={to} gone={gone} onTo={onTo} />}
      <form className="chat-form" onSubmit={submit}>
        <textarea
          ref={input}
          rows={1}
          dir="auto"
          aria-label={label}
          placeholder={label}
          data-testid="chat-input"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={typed}
          autoComplete="off"
          maxLength={4000}
        />
        <button
          className="send"
          type="submit"
          aria-label={t("chat.send")}
          data-testid="chat-send"
          disabled={gone}
        >
          <Icon name="send" size={20} />
        </button>
      </form>
    </>
  );
}

function headOf(line: ChatLine): string {
  if (line.direct === undefined) return line.own ? t("chat.you") : line.origin;
  return t(line.own ? "chat.directTo" : "chat.directFrom", { name: line.direct });
}

function Line({ line }: { line: ChatLine }) {
  const time = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" }).format(line.at);
  if (line.news) {
    return (
      <p className="chat-news soft small" data-testid="chat-news">
        {t(line.news.key, line.news.params)} · {time}
      </p>
    );
  }
  const kind = `line${line.own ? " own" : ""}${line.direct === undefined ? "" : " direct"}`;
  return (
    <div className={kind} data-testid="chat-line">
      <span className="soft small">
        <bdi>{headOf(line)}</bdi> · {time}
      </span>
      <p className="bubble" dir="auto">
        {pieces(line.text).map((piece, index) =>
          piece.href ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text never move
            <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer">
              {piece.text}
            </a>
          ) : (
            piece.text
          ),
        )}
      </p>
      {line.undelivered && <span className="note error">{t("chat.undelivered")}</span>}
    </div>
  );
}

function Recipient(props: {
  others: readonly ParticipantRecord[];
  to: string | undefined;
  gone: boolean;
  onTo(uuid: string | undefined): void;
}) {
  return (
    <label className="chat-to small">
      <span className="soft">{t("chat.to")}</span>
      <select
        data-testid="chat-to"
        value={props.to ?? ""}
        onChange={(event) => props.onTo(event.target.value || undefined)}
      >
        {props.gone && (
          <option value={props.to} disabled>
            {t("chat.gone")}
          </option>
        )}
        <option value="">{t("chat.everyone")}</option>
        {props.others.map((row) => (
          <option key={row.uuid} value={row.uuid}>
            {nameOf(row)}
          </option>
        ))}
      </select>
    </label>
  );
}
