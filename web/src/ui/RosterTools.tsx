import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { MeetingState } from "../state/meeting";
import { countOf, raisedHands, stageOrder } from "../state/roster";
import { Icon } from "./Icon";
import { conferencePath } from "./routes";
import { useDesk } from "./wanted";

/** The way in, for somebody else: without name and PIN. */
function CopyLink({ meeting, whole }: { meeting: Meeting; whole: boolean }) {
  const copy = async () => {
    const link = window.location.origin + conferencePath(meeting.alias);
    try {
      await navigator.clipboard.writeText(link);
      meeting.store.dispatch({ type: "notice", key: "notice.linkCopied" });
    } catch (error) {
      console.info("not copied", error);
      meeting.store.dispatch({ type: "notice", key: "notice.linkIs", params: { link } });
    }
  };
  return (
    <button
      className={whole ? "button whole" : "button"}
      type="button"
      data-testid="copy-link"
      onClick={() => void copy()}
    >
      <Icon name="link" size={18} />
      {t("roster.copyLink")}
    </button>
  );
}

export function RosterCount({ state }: { state: MeetingState }) {
  const count = countOf(state.roster, state.self);
  return (
    <span className="count" title={t("roster.count", { count })}>
      {count}
    </span>
  );
}

/** What can be done with the meeting as a whole. */
export function RosterTools({ meeting, state }: { meeting: Meeting; state: MeetingState }) {
  const desk = useDesk();
  if (state.where === "waiting_room") return null;
  if (state.role !== "HOST") {
    return (
      <footer className="panel-foot">
        <CopyLink meeting={meeting} whole />
      </footer>
    );
  }
  const { locked, guests_muted: guestsMuted } = state.flags;
  const hands = raisedHands(state.roster);
  const inRoom = state.place !== undefined;
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
      {lit > 0 && !inRoom && (
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
        onClick={() => void meeting.act((api) => api.lock(!locked))}
      >
        <Icon name={locked ? "unlock" : "lock"} size={18} />
        {t(locked ? "roster.unlock" : "roster.lock")}
      </button>
      <button
        className="button"
        type="button"
        data-testid="mute-guests"
        onClick={() => void meeting.act((api) => api.muteGuests(!guestsMuted))}
      >
        <Icon name={guestsMuted ? "mic" : "micOff"} size={18} />
        {t(guestsMuted ? "roster.unmuteGuests" : "roster.muteGuests")}
      </button>
      {!inRoom && (
        <button
          className="button"
          type="button"
          data-testid="add-participant"
          onClick={() => desk.ask({ kind: "dial" })}
        >
          <Icon name="call" size={18} />
          {t("roster.call")}
        </button>
      )}
      <CopyLink meeting={meeting} whole={inRoom} />
    </footer>
  );
}
