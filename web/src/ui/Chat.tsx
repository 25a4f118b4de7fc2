import { type FormEvent, useEffect, useRef, useState } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { ChatLine } from "../state/meeting";
import { Icon } from "./Icon";

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** Messages to everyone. */
export function Chat({ meeting, lines }: { meeting: Meeting; lines: readonly ChatLine[] }) {
  const [text, setText] = useState("");
  const end = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: scroll when a line was added
  useEffect(() => {
    end.current?.scrollIntoView({ block: "end" });
  }, [lines.length]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const message = text.trim();
    if (!message) return;
    setText("");
    void meeting.say(message);
  };
  return (
    <>
      <div className="chat" role="log" aria-label={t("chat.title")} data-testid="chat">
        {lines.length === 0 && <p className="soft chat-empty">{t("chat.empty")}</p>}
        {lines.map((line) => (
          <div key={line.id} className={line.own ? "line own" : "line"}>
            <span className="soft small">
              {line.own ? t("chat.you") : line.origin} · {time.format(line.at)}
            </span>
            <p className="bubble">{line.text}</p>
            {line.undelivered && <span className="note error">{t("chat.undelivered")}</span>}
          </div>
        ))}
        <div ref={end} />
      </div>
      <form className="chat-form" onSubmit={submit}>
        <input
          aria-label={t("chat.label")}
          placeholder={t("chat.label")}
          data-testid="chat-input"
          value={text}
          onChange={(event) => setText(event.target.value)}
          autoComplete="off"
        />
        <button className="send" type="submit" aria-label={t("chat.send")} data-testid="chat-send">
          <Icon name="send" size={20} />
        </button>
      </form>
    </>
  );
}
