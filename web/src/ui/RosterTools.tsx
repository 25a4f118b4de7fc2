import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { MeetingState } from "../state/meeting";
import { countOf, raisedHands, stageOrder } from "../state/roster";
import { Icon } from "./Icon";
import { useDesk } from "./wanted";

export function RosterCount({ state }: { state: MeetingState }) {
  const count = countOf(state.roster, state.self);
  return (
    <span className="count" title={t("roster.count", { count })}>
      {count}
    </span>
  );
}

/** What a Host can do with the meeting as a whole. */
export function RosterTools({ meeting, state }: { meeting: Meeting; state: MeetingState }) {
  const desk = useDesk();
  if (state.role !== "HOST" || state.where === "waiting_room") return null;
  const { locked, guests_muted: guestsMuted } = state.flags;
  const hands = raisedHands(state.roster);
  const lit = stageOrder(state.roster).size;
  return (
    <footer className="panel-foot">
      {hands > 0 && (
        <button
          className="button accent whole"
          type="button"
          data-testid="lower-hands"
          onClick={() => void meeting.act((api) => api.lowerAllHands())}
        >
          <Icon name="hand" size={18} />
          {t("roster.lowerHands", { count: hands })}
        </button>
      )}
      {lit > 0 && (
        <button
          className="button whole"
          type="button"
          data-testid="clear-spotlights"
          onClick={() => void meeting.act((api) => api.clearSpotlights())}
        >
          <Icon name="star" size={18} />
          {t("roster.clearSpotlights")}
        </button>
      )}
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
      <button
        className="button whole"
        type="button"
        data-testid="add-participant"
        onClick={() => desk.ask({ kind: "dial" })}
      >
        <Icon name="call" size={18} />
        {t("dial.open")}
      </button>
    </footer>
  );
}
