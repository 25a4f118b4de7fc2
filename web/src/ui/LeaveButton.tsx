import { useState } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";

/** Leaves at once; a Host may instead end the meeting for everyone, which is asked about first. */
export function LeaveButton({ meeting, host }: { meeting: Meeting; host: boolean }) {
  const [asking, setAsking] = useState(false);
  return (
    <div className="leave">
      <button
        type="button"
        className="leave-button"
        data-testid="leave"
        aria-label={t("control.leaveOnly")}
        onClick={() => void meeting.leave()}
      >
        <Icon name="leave" size={24} />
        <span className="leave-text">{t("control.leave")}</span>
      </button>
      {host && (
        <button
          type="button"
          className="leave-more"
          data-testid="end-for-all"
          aria-label={t("control.endForAll")}
          title={t("control.endForAll")}
          onClick={() => setAsking(true)}
        >
          <Icon name="up" size={18} />
        </button>
      )}
      {asking && (
        <Dialog title={t("end.confirmTitle")} onClose={() => setAsking(false)}>
          <p className="soft">{t("end.confirmText")}</p>
          <div className="dialog-buttons">
            <button className="button" type="button" onClick={() => setAsking(false)}>
              {t("end.cancel")}
            </button>
            <button
              className="button danger"
              type="button"
              data-testid="end-confirm"
              onClick={() => void meeting.leave(true)}
            >
              {t("end.confirm")}
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
