import { useCallback, useMemo, useState } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { Banner } from "./Banner";
import { Chat } from "./Chat";
import { Controls, type PanelName } from "./Controls";
import { DevicesDialog } from "./DevicesDialog";
import { useKeys, useLocal, useMeeting } from "./hooks";
import { Notices } from "./Notices";
import { Panel } from "./Panel";
import { Roster } from "./Roster";
import { RosterCount, RosterTools } from "./RosterTools";
import { Stage } from "./Stage";
import { TopBar } from "./TopBar";

const WIDE = "(min-width: 900px)";

/** The meeting itself. */
export function Conference({ meeting }: { meeting: Meeting }) {
  const state = useMeeting(meeting);
  const local = useLocal(meeting.media);
  const [panel, setPanel] = useState<PanelName | undefined>(() =>
    window.matchMedia(WIDE).matches ? "people" : undefined,
  );
  const [settings, setSettings] = useState(false);

  const show = useCallback(
    (name: PanelName | undefined) => {
      setPanel(name);
      meeting.store.dispatch({ type: "chatOpen", open: name === "chat" });
    },
    [meeting],
  );
  const toggleMic = useCallback(() => {
    void meeting.media.setMicMuted(!meeting.store.get().micMuted);
  }, [meeting]);
  const toggleCamera = useCallback(() => {
    void meeting.media.setCameraWanted(meeting.store.get().cameraOff);
  }, [meeting]);
  useKeys(useMemo(() => ({ m: toggleMic, v: toggleCamera }), [toggleMic, toggleCamera]));

  return (
    <div
      className={panel ? "meeting with-panel" : "meeting"}
      data-testid="conference"
      data-node={meeting.node}
    >
      <div className="meeting-main">
        <TopBar state={state} />
        <Banner meeting={meeting} state={state} local={local} />
        <Stage meeting={meeting} state={state} local={local} />
        <Controls
          meeting={meeting}
          state={state}
          panel={panel}
          onPanel={show}
          onMic={toggleMic}
          onCamera={toggleCamera}
          onSettings={() => setSettings(true)}
        />
      </div>
      {panel === "people" && (
        <Panel title={t("roster.title")} note={<RosterCount state={state} />} onClose={() => show(undefined)}>
          <Roster meeting={meeting} state={state} />
          <RosterTools meeting={meeting} state={state} />
        </Panel>
      )}
      {panel === "chat" && (
        <Panel title={t("chat.title")} onClose={() => show(undefined)}>
          <Chat meeting={meeting} lines={state.chat} />
        </Panel>
      )}
      <Notices meeting={meeting} notices={state.notices} />
      {settings && <DevicesDialog media={meeting.media} local={local} onClose={() => setSettings(false)} />}
    </div>
  );
}
