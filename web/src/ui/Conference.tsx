import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { recall, remember } from "../devices/memory";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { ringBack } from "../registration/ringer";
import { isWaiting, seen } from "../state/meeting";
import { isRinging } from "../state/roster";
import { Banner } from "./Banner";
import { Chat } from "./Chat";
import { Controls, type PanelName } from "./Controls";
import { Dialogs } from "./Dialogs";
import { useDeeds } from "./deeds";
import { HelpCall } from "./HelpCall";
import { useFullScreen, useLocal, useMedia, useMeeting, useWakeLock } from "./hooks";
import { Knock } from "./Knock";
import { Notices } from "./Notices";
import { Panel } from "./Panel";
import { RoomBar, RoomCount, Rooms } from "./Rooms";
import { Roster } from "./Roster";
import { RosterCount, RosterTools } from "./RosterTools";
import { Stage } from "./Stage";
import { Statistics } from "./Statistics";
import { useSharing } from "./sharing";
import { TopBar } from "./TopBar";
import { useHoldToTalk, useMutedTalk } from "./talking";
import { type Desk, DeskContext, type Wanted } from "./wanted";

const WIDE = "(min-width: 900px)";

/** The meeting itself. */
export function Conference({ meeting }: { meeting: Meeting }) {
  const whole = useMeeting(meeting);
  const state = useMemo(() => seen(whole), [whole]);
  const local = useLocal(meeting.media);
  const wide = useMedia(WIDE);
  useWakeLock();
  useMutedTalk(meeting, local.micMuted);
  useHoldToTalk(meeting);
  const ringing = whole.where === "gateway" && isRinging(whole.roster, whole.self);
  useEffect(() => (ringing ? ringBack() : undefined), [ringing]);
  const frame = useRef<HTMLDivElement>(null);
  const [chosen, setPanel] = useState<PanelName | undefined>(() =>
    window.matchMedia(WIDE).matches ? "people" : undefined,
  );
  const host = whole.role === "HOST" && !isWaiting(whole);
  const panel = chosen === "rooms" && !host ? undefined : chosen;
  const [selfShown, setSelfShown] = useState(!recall().selfViewOff);
  const [wanted, setWanted] = useState<Wanted>();
  const [to, setTo] = useState<string>();
  const [full, toggleFull] = useFullScreen(useCallback(() => frame.current, []));
  const sharing = useSharing(meeting);

  const show = useCallback(
    (name: PanelName | undefined) => {
      setPanel(name);
      meeting.store.dispatch({ type: "chatOpen", open: name === "chat" });
    },
    [meeting],
  );
  const togglePanel = useCallback(
    (name: PanelName) => show(panel === name ? undefined : name),
    [panel, show],
  );
  const desk: Desk = useMemo(
    () => ({
      ask: setWanted,
      write: (row) => {
        setTo(row.uuid);
        show("chat");
      },
    }),
    [show],
  );
  const toggleSelf = useCallback(
    () =>
      setSelfShown((before) => {
        remember({ selfViewOff: before });
        return !before;
      }),
    [],
  );
  const deeds = useDeeds({ meeting, desk, sharing, togglePanel, toggleFull, toggleSelf });
  const close = () => show(undefined);

  return (
    <DeskContext value={desk}>
      <div
        ref={frame}
        className={panel ? "meeting with-panel" : "meeting"}
        data-testid="conference"
        data-node={meeting.node}
      >
        {/* On small screens a panel lies over everything else. */}
        <div className="meeting-main" inert={!wide && panel !== undefined}>
          <TopBar state={state} />
          <RoomBar meeting={meeting} state={whole} />
          <Banner meeting={meeting} state={state} local={local} />
          <Stage meeting={meeting} state={state} local={local} selfShown={selfShown} />
          <Controls
            meeting={meeting}
            state={state}
            panel={panel}
            deeds={deeds}
            sharing={sharing}
            full={full}
            selfShown={selfShown}
          />
        </div>
        {panel === "people" && (
          <Panel title={t("roster.title")} note={<RosterCount state={state} />} onClose={close}>
            <Roster meeting={meeting} state={state} />
            <RosterTools meeting={meeting} state={state} />
          </Panel>
        )}
        {panel === "rooms" && (
          <Panel title={t("rooms.title")} note={<RoomCount state={whole} />} onClose={close}>
            <Rooms meeting={meeting} state={whole} />
          </Panel>
        )}
        {panel === "chat" && (
          <Panel title={t("chat.title")} onClose={close}>
            <Chat meeting={meeting} state={state} to={to} onTo={setTo} />
          </Panel>
        )}
        {panel === "statistics" && (
          <Panel title={t("statistics.title")} onClose={close}>
            <Statistics meeting={meeting} />
          </Panel>
        )}
        <div className="news">
          {panel !== "people" && <Knock meeting={meeting} state={whole} onShow={() => show("people")} />}
          {panel !== "rooms" && <HelpCall meeting={meeting} state={whole} />}
          <Notices meeting={meeting} notices={state.notices} />
        </div>
        <Dialogs
          meeting={meeting}
          state={state}
          whole={whole}
          local={local}
          wanted={wanted}
          onClose={() => setWanted(undefined)}
        />
      </div>
    </DeskContext>
  );
}
