import type { ParticipantRecord } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { Icon } from "./Icon";

interface Props {
  meeting: Meeting;
  row: ParticipantRecord;
  name: string;
  self: boolean;
}

/** What a Host can do with one participant; the microphone button also shows its state. */
export function RosterActions({ meeting, row, name, self }: Props) {
  const { uuid } = row;
  if (row.service_type === "waiting_room") {
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
  const muted = row.is_muted === "YES";
  const silent = muted || row.is_client_muted === true;
  const muteLabel = t(muted ? "roster.unmute" : "roster.mute", { name });
  return (
    <span className="person-actions">
      {silent && <span className="hidden">{t(muted ? "roster.muted" : "roster.clientMuted")}</span>}
      {row.mute_supported !== "NO" && (
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
      )}
      {!self && row.disconnect_supported !== "NO" && (
        <button
          className="quiet"
          type="button"
          data-testid={`remove-${uuid}`}
          aria-label={t("roster.remove", { name })}
          title={t("roster.remove", { name })}
          onClick={() => void meeting.act((api) => api.remove(uuid))}
        >
          <Icon name="remove" size={18} />
        </button>
      )}
    </span>
  );
}
