import type { ParticipantRecord } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { nameOf } from "../state/roster";
import { Avatar } from "./Avatar";
import { Icon, type IconName } from "./Icon";
import { RosterActions } from "./RosterActions";

interface Props {
  meeting: Meeting;
  row: ParticipantRecord;
  self: boolean;
  /** The user is a Host and may act on others. */
  host: boolean;
  talking: boolean;
  /** In the spotlight, from 1. */
  place: number | undefined;
  chat: boolean;
  inRoom: boolean;
}

function detailOf(row: ParticipantRecord): string {
  if (row.service_type === "connecting") return t("roster.connecting");
  const role = t(row.role === "chair" ? "roster.host" : "roster.guest");
  if (row.service_type === "waiting_room") return role;
  if (row.is_streaming_conference) return t("roster.streaming");
  if (row.is_conjoined) return `${role} · ${t("roster.inRoom")}`;
  if (row.is_on_hold) return `${role} · ${t("roster.onHold")}`;
  if (row.is_presenting === "YES") return `${role} · ${t("roster.presenting")}`;
  if (!row.has_media) return `${role} · ${t("roster.noMedia")}`;
  if (row.is_audio_only_call === "YES") return `${role} · ${t("roster.audioOnly")}`;
  return role;
}

/** One participant: name, role, what it is doing, and what a Host can do about it. */
export function RosterRow({ meeting, row, self, host, talking, place, chat, inRoom }: Props) {
  const name = nameOf(row);
  const muted = row.is_muted === "YES";
  const silent = muted || row.is_client_muted === true;
  const speaking = talking && !silent;
  return (
    <li
      className={speaking ? "person talking" : "person"}
      data-testid={`participant-${row.uuid}`}
      data-talking={speaking}
      data-muted={muted}
      data-role={row.role}
      data-spotlight={place}
    >
      <Avatar name={name} talking={speaking} />
      <div className="person-text">
        <span className="person-name">
          <bdi title={name}>{name}</bdi>
          {self && <span className="soft"> ({t("meeting.you")})</span>}
        </span>
        <span className="soft small">{detailOf(row)}</span>
      </div>
      <div className="person-state">
        {speaking && <span className="hidden">{t("roster.talking")}</span>}
        {place !== undefined && (
          <span className="sign star" title={t("roster.onStage", { place })}>
            <Icon name="star" size={17} />
            <span aria-hidden="true">{place}</span>
            <span className="hidden">{t("roster.onStage", { place })}</span>
          </span>
        )}
        {(row.buzz_time ?? 0) > 0 && <Sign icon="hand" label={t("roster.hand")} tone="hand" />}
        {row.is_presenting === "YES" && <Sign icon="share" label={t("roster.presenting")} />}
        {row.is_video_muted && <Sign icon="cameraOff" label={t("roster.cameraOff")} />}
        {silent && (!host || row.mute_supported === "NO") && (
          <Sign
            icon="micOff"
            label={t(muted ? "roster.muted" : "roster.clientMuted")}
            {...(muted ? { tone: "danger" } : {})}
          />
        )}
        <RosterActions
          meeting={meeting}
          row={row}
          name={name}
          self={self}
          host={host}
          chat={chat}
          inRoom={inRoom}
        />
      </div>
    </li>
  );
}

function Sign({ icon, label, tone = "" }: { icon: IconName; label: string; tone?: string }) {
  return (
    <span className={`sign ${tone}`} title={label}>
      <Icon name={icon} size={18} />
      <span className="hidden">{label}</span>
    </span>
  );
}
