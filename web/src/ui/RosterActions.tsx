import type { ParticipantRecord } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { Icon } from "./Icon";
import { Menu, type MenuItem } from "./Menu";
import { type Desk, useDesk } from "./wanted";

interface Props {
  meeting: Meeting;
  row: ParticipantRecord;
  name: string;
  self: boolean;
  host: boolean;
  /** Messages are possible here. */
  chat: boolean;
  /** Our place is a breakout room, where not everything can be done. */
  inRoom: boolean;
}

/** What can be done with one participant; the microphone button also shows its state. */
export function RosterActions(props: Props) {
  const desk = useDesk();
  const { meeting, row, name, host } = props;
  const { uuid } = row;
  if (row.service_type === "waiting_room") return host ? <Admission {...props} /> : null;
  const muted = row.is_muted === "YES";
  const silent = muted || row.is_client_muted === true;
  const muteLabel = t(muted ? "roster.unmute" : "roster.mute", { name });
  const items = itemsFor(props, desk);
  return (
    <span className="person-actions">
      {host && row.mute_supported !== "NO" && row.service_type !== "connecting" && (
        <>
          {silent && <span className="hidden">{t(muted ? "roster.muted" : "roster.clientMuted")}</span>}
          <button
            className={muted ? "quiet danger" : silent ? "quiet" : "quiet live"}
            type="button"
            data-testid={`mute-${uuid}`}
            aria-label={muteLabel}
            title={muteLabel}
            onClick={() => void meeting.act((api) => api.mute(uuid, !muted))}
          >
            <Icon name={silent ? "micOff" : "mic"} size={18} />
          </button>
        </>
      )}
      {items.length > 0 && (
        <Menu testId={`menu-${uuid}`} className="quiet" label={t("roster.menu", { name })} items={items}>
          <Icon name="more" size={20} />
        </Menu>
      )}
    </span>
  );
}

/** Let in, or turn away. */
function Admission({ meeting, row, name }: Props) {
  const { uuid } = row;
  return (
    <>
      <button
        className="button small-button accent"
        type="button"
        data-testid={`admit-${uuid}`}
        aria-label={t("roster.admit", { name })}
        onClick={() => void meeting.act((api) => api.admit(uuid))}
      >
        {t("roster.admitShort")}
      </button>
      <button
        className="quiet"
        type="button"
        data-testid={`remove-${uuid}`}
        aria-label={t("roster.reject", { name })}
        title={t("roster.reject", { name })}
        onClick={() => void meeting.act((api) => api.remove(uuid))}
      >
        <Icon name="close" size={18} />
      </button>
    </>
  );
}

function itemsFor({ meeting, row, self, host, chat, inRoom }: Props, desk: Desk): MenuItem[] {
  const items: MenuItem[] = [];
  if (!self && chat && row.supports_direct_chat) {
    items.push({
      testId: "row-write",
      icon: "chat",
      label: t("roster.write"),
      onChoose: () => desk.write(row),
    });
  }
  if (!host) return items;
  if (row.service_type !== "connecting") items.push(...hostItems(meeting, row, self, desk, inRoom));
  if (!self && row.disconnect_supported !== "NO") {
    items.push({
      testId: `remove-${row.uuid}`,
      icon: "remove",
      label: t("roster.removeShort"),
      danger: true,
      apart: true,
      onChoose: () => void meeting.act((api) => api.remove(row.uuid)),
    });
  }
  return items;
}

function hostItems(
  meeting: Meeting,
  row: ParticipantRecord,
  self: boolean,
  desk: Desk,
  inRoom: boolean,
): MenuItem[] {
  const { uuid } = row;
  const lit = (row.spotlight ?? 0) > 0;
  const guest = row.role !== "chair";
  const off = row.is_video_muted === true;
  const act = meeting.act.bind(meeting);
  const items: MenuItem[] = [];
  if ((row.buzz_time ?? 0) > 0) {
    items.push({
      testId: "row-hand",
      icon: "hand",
      label: t("roster.lowerHand"),
      onChoose: () => void act((api) => api.lowerHand(uuid)),
    });
  }
  items.push({
    testId: "row-spotlight",
    icon: "star",
    label: t(lit ? "roster.spotlightOff" : "roster.spotlightOn"),
    onChoose: () => void act((api) => api.spotlight(uuid, !lit)),
  });
  if (!self) {
    items.push(
      {
        testId: "row-role",
        icon: "crown",
        label: t(guest ? "roster.makeHost" : "roster.makeGuest"),
        onChoose: () => void act((api) => api.setRole(uuid, guest ? "chair" : "guest")),
      },
      {
        testId: "row-video",
        icon: off ? "camera" : "cameraOff",
        label: t(off ? "roster.startVideo" : "roster.stopVideo"),
        onChoose: () => void act((api) => api.stopVideo(uuid, !off)),
      },
    );
    if (!inRoom) items.push(...onlyInMain(meeting, row));
  }
  items.push({
    testId: "row-rename",
    icon: "pen",
    label: t("rename.open"),
    apart: true,
    onChoose: () => desk.ask({ kind: "rename", row }),
  });
  if (!self) {
    items.push({
      testId: "row-tones",
      icon: "keypad",
      label: t("roster.tones"),
      onChoose: () => desk.ask({ kind: "keypad", row }),
    });
    if (row.transfer_supported !== "NO") {
      items.push({
        testId: "row-transfer",
        icon: "transfer",
        label: t("transfer.open"),
        onChoose: () => desk.ask({ kind: "transfer", row }),
      });
    }
  }
  return items;
}

/** What has no counterpart in breakout rooms. */
function onlyInMain(meeting: Meeting, { uuid, ...row }: ParticipantRecord): MenuItem[] {
  const denied = row.rx_presentation_policy === "DENY";
  const held = row.is_on_hold === true;
  return [
    {
      testId: "row-slides",
      icon: "share",
      label: t(denied ? "roster.allowSlides" : "roster.denySlides"),
      onChoose: () => void meeting.act((api) => api.allowPresentation(uuid, denied)),
    },
    {
      testId: "row-hold",
      icon: held ? "play" : "pause",
      label: t(held ? "roster.resume" : "roster.hold"),
      onChoose: () => void meeting.act((api) => api.hold(uuid, !held)),
    },
  ];
}
