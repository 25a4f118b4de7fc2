import { useEffect, useState } from "react";
import { serverNow } from "../api/http";
import type { ConferenceState } from "../api/types";
import { t } from "../i18n";
import { secondsLeft } from "../state/rooms";
import { Icon } from "./Icon";

/** From when on it is worth a second look. */
const SOON = 60;

/** How long a breakout room stays open; nothing where that is not settled. */
export function TimeLeft({ flags }: { flags: ConferenceState }) {
  const [, tick] = useState(0);
  const ends = Boolean(flags.end_time);
  useEffect(() => {
    if (!ends) return;
    const timer = setInterval(() => tick((count) => count + 1), 1_000);
    return () => clearInterval(timer);
  }, [ends]);
  const left = secondsLeft(flags, serverNow());
  if (left === undefined) return null;
  const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  return (
    <span
      className={left < SOON ? "time-left soon" : "time-left"}
      role="timer"
      aria-label={t("rooms.timeLeft", { time })}
      title={t("rooms.timeLeft", { time })}
      data-testid="time-left"
    >
      <Icon name="clock" size={14} />
      {time}
    </span>
  );
}
