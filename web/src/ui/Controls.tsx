import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { handRaised, isWaiting, type MeetingState, mayChat } from "../state/meeting";
import { viewRoster } from "../state/roster";
import { LeaveButton } from "./LeaveButton";
import { MoreMenu } from "./MoreMenu";
import { ShareButton } from "./ShareButton";
import type { Sharing } from "./sharing";
import { ToggleButton } from "./ToggleButton";

export type PanelName = "people" | "chat" | "rooms" | "statistics";

/** What the buttons and the keys do. */
export interface Deeds {
  mic(): void;
  camera(): void;
  hand(): void;
  panel(name: PanelName): void;
  full(): void;
  /** The own camera on the picture, or not. */
  self(): void;
  pip(): void;
}

interface Props {
  meeting: Meeting;
  state: MeetingState;
  panel: PanelName | undefined;
  deeds: Deeds;
  sharing: Sharing;
  full: boolean;
  selfShown: boolean;
}

/** The bar of buttons below the picture. */
export function Controls({ meeting, state, panel, deeds, sharing, full, selfShown }: Props) {
  const waiting = isWaiting(state);
  const chat = mayChat(state);
  const handUp = handRaised(state);
  const host = state.role === "HOST" && !waiting;
  const chatLabel = state.unread > 0 ? t("control.unread", { count: state.unread }) : t("control.chat");
  const knocking = host ? viewRoster(state.roster, state.self).waiting.length : 0;
  return (
    <nav className="controls" aria-label={t("meeting.controls")}>
      <ToggleButton
        testId="mute-mic"
        icon={state.micMuted ? "micOff" : "mic"}
        label={t(state.micMuted ? "control.unmute" : "control.mute")}
        caption={t("control.mic")}
        off={state.micMuted}
        shortcut="M"
        onClick={deeds.mic}
      />
      {state.service.video && (
        <ToggleButton
          testId="mute-camera"
          icon={state.cameraOff ? "cameraOff" : "camera"}
          label={t(state.cameraOff ? "control.cameraOn" : "control.cameraOff")}
          caption={t("control.camera")}
          off={state.cameraOff}
          shortcut="V"
          onClick={deeds.camera}
        />
      )}
      <ShareButton state={state} sharing={sharing} />
      {!waiting && (
        <ToggleButton
          testId="raise-hand"
          icon="hand"
          label={t("control.hand")}
          tip={t(handUp ? "control.handDown" : "control.hand")}
          caption={t("control.handShort")}
          pressed={handUp}
          shortcut="H"
          onClick={deeds.hand}
        />
      )}
      <ToggleButton
        testId="show-people"
        icon="people"
        label={knocking > 0 ? t("knock.many", { count: knocking }) : t("control.people")}
        caption={t("control.people")}
        pressed={panel === "people"}
        badge={knocking}
        shortcut="P"
        onClick={() => deeds.panel("people")}
      />
      {chat && (
        <ToggleButton
          testId="show-chat"
          icon="chat"
          label={chatLabel}
          caption={t("control.chat")}
          pressed={panel === "chat"}
          badge={state.unread}
          shortcut="C"
          onClick={() => deeds.panel("chat")}
        />
      )}
      <MoreMenu meeting={meeting} state={state} deeds={deeds} full={full} selfShown={selfShown} />
      <LeaveButton meeting={meeting} host={host} />
    </nav>
  );
}
