import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { MeetingState } from "../state/meeting";
import { viewRoster } from "../state/roster";
import { Icon } from "./Icon";

export function RosterCount({ state }: { state: MeetingState }) {
  const count = viewRoster(state.roster, state.self).present.length;
  return (
    <span className="count" title={t("roster.count", { count })}>
      {count}
    </span>
  );
}

/** What a Host can do with the meeting as a whole. */
export function RosterTools({ meeting, state }: { meeting: Meeting; state: MeetingState }) {
  if (state.role !== "HOST" || state.where === "waiting_room") return null;
  const { locked, guests_muted: guestsMuted } = state.flags;
  return (
    <footer className="panel-foot">
      <button
        className="button"
        type="button"
        data-testid="lock"
        aria-pressed={locked}
        onClick={() => void meeting.act((api) => api.lock(!locked))}
      >
        <Icon name={locked ? "unlock" : "lock"} size={18} />
        {t(locked ? "roster.unlock" : "roster.lock")}
      </button>
      <button
        className="button"
        type="button"
        data-testid="mute-guests"
        aria-pressed={guestsMuted}
        onClick={() => void meeting.act((api) => api.muteGuests(!guestsMuted))}
      >
        <Icon name={guestsMuted ? "mic" : "micOff"} size={18} />
        {t(guestsMuted ? "roster.unmuteGuests" : "roster.muteGuests")}
      </button>
    </footer>
  );
}
