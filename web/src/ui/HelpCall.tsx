import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { MeetingState } from "../state/meeting";
import { askingForHelp, roomName } from "../state/rooms";
import { Icon } from "./Icon";

/** A breakout room asks for a Host. */
export function HelpCall({ meeting, state }: { meeting: Meeting; state: MeetingState }) {
  const [room] = askingForHelp(state.rooms).filter((one) => one.uuid !== state.place);
  if (!room || state.role !== "HOST") return null;
  return (
    <div className="knock" role="alert" data-testid="help-call">
      <Icon name="lifebuoy" size={20} />
      <span>{t("rooms.wantsHelp", { name: roomName(room) })}</span>
      <button
        className="button primary small-button"
        type="button"
        data-testid="help-go"
        onClick={() => void meeting.goTo(room.uuid)}
      >
        {t("rooms.go")}
      </button>
      <button
        className="button small-button"
        type="button"
        data-testid="help-done"
        onClick={() => void meeting.act((api) => api.helpGiven(room.uuid))}
      >
        {t("rooms.helped")}
      </button>
    </div>
  );
}
