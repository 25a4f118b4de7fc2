import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { isWaiting, type MeetingState } from "../state/meeting";
import { LeaveButton } from "./LeaveButton";
import { ToggleButton } from "./ToggleButton";

export type PanelName = "people" | "chat";

interface Props {
  meeting: Meeting;
  state: MeetingState;
  panel: PanelName | undefined;
  onPanel(name: PanelName | undefined): void;
  onMic(): void;
  onCamera(): void;
  onSettings(): void;
}

/** The bar of buttons below the picture. */
export function Controls({ meeting, state, panel, onPanel, onMic, onCamera, onSettings }: Props) {
  const chat = state.service.chat && !isWaiting(state);
  const handUp = (state.roster.byUuid.get(state.self)?.buzz_time ?? 0) > 0;
  const chatLabel = state.unread > 0 ? t("control.unread", { count: state.unread }) : t("control.chat");
  return (
    <nav className="controls" aria-label={t("meeting.controls")}>
      <ToggleButton
        testId="mute-mic"
        icon={state.micMuted ? "micOff" : "mic"}
        label={t(state.micMuted ? "control.unmute" : "control.mute")}
        off={state.micMuted}
        shortcut="M"
        onClick={onMic}
      />
      {state.service.video && (
        <ToggleButton
          testId="mute-camera"
          icon={state.cameraOff ? "cameraOff" : "camera"}
          label={t(state.cameraOff ? "control.cameraOn" : "control.cameraOff")}
          off={state.cameraOff}
          shortcut="V"
          onClick={onCamera}
        />
      )}
      {!isWaiting(state) && (
        <ToggleButton
          testId="raise-hand"
          icon="hand"
          label={t(handUp ? "control.handDown" : "control.hand")}
          pressed={handUp}
          onClick={() => void meeting.act((api) => api.raiseHand(!handUp))}
        />
      )}
      <ToggleButton
        testId="show-people"
        icon="people"
        label={t("control.people")}
        pressed={panel === "people"}
        onClick={() => onPanel(panel === "people" ? undefined : "people")}
      />
      {chat && (
        <ToggleButton
          testId="show-chat"
          icon="chat"
          label={chatLabel}
          pressed={panel === "chat"}
          badge={state.unread}
          onClick={() => onPanel(panel === "chat" ? undefined : "chat")}
        />
      )}
      <ToggleButton
        testId="show-settings"
        icon="settings"
        label={t("control.settings")}
        onClick={onSettings}
      />
      <LeaveButton meeting={meeting} host={state.role === "HOST" && !isWaiting(state)} />
    </nav>
  );
}
