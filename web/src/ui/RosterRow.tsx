import type { ParticipantRecord } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { nameOf } from "../state/roster";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { RosterActions } from "./RosterActions";

interface Props {
  meeting: Meeting;
  row: ParticipantRecord;
  self: boolean;
  /** The user is a Host and may act on others. */
  host: boolean;
  talking: boolean;
}

function detailOf(row: ParticipantRecord): string {
  if (row.service_type === "connecting") return t("roster.connecting");
  const role = t(row.role === "chair" ? "roster.host" : "roster.guest");
  if (row.service_type === "waiting_room") return role;
  if (!row.has_media) return `${role} · ${t("roster.noMedia")}`;
  if (row.is_audio_only_call === "YES") return `${role} · ${t("roster.audioOnly")}`;
  return role;
}

/** One participant: name, role, what it is doing, and what a Host can do about it. */
export function RosterRow({ meeting, row, self, host, talking }: Props) {
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
    >
      <Avatar name={name} talking={speaking} />
      <div className="person-text">
        <span className="person-name">
          <span>{name}</span>
          {self && <span className="soft"> ({t("meeting.you")})</span>}
        </span>
        <span className="soft small">{detailOf(row)}</span>
      </div>
      <div className="person-state">
        {speaking && <span className="hidden">{t("roster.talking")}</span>}
        {(row.buzz_time ?? 0) > 0 && <Sign icon="hand" label={t("roster.hand")} tone="hand" />}
        {row.is_video_muted && <Sign icon="cameraOff" label={t("roster.cameraOff")} />}
        {silent && !host && (
          <Sign
            icon="micOff"
            label={t(muted ? "roster.muted" : "roster.clientMuted")}
            {...(muted ? { tone: "danger" } : {})}
          />
        )}
        {host && <RosterActions meeting={meeting} row={row} name={name} self={self} />}
      </div>
    </li>
  );
}

function Sign({
  icon,
  label,
  tone = "",
}: {
  icon: "hand" | "cameraOff" | "micOff";
  label: string;
  tone?: string;
}) {
  return (
    <span className={`sign ${tone}`} title={label}>
      <Icon name={icon} size={18} />
      <span className="hidden">{label}</span>
    </span>
  );
}
