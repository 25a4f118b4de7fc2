import { useEffect, useState } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { Notice } from "../state/meeting";
import { Icon } from "./Icon";
import { explain } from "./reason";

const SHOWN_FOR = 6_000;

/** Short news that goes away by itself. */
export function Notices({ meeting, notices }: { meeting: Meeting; notices: readonly Notice[] }) {
  return (
    <div className="notices" aria-live="polite">
      {notices.map((notice) => (
        <NoticeCard
          key={notice.id}
          notice={notice}
          onDismiss={() => meeting.store.dispatch({ type: "dismiss", id: notice.id })}
        />
      ))}
    </div>
  );
}

function NoticeCard({ notice, onDismiss }: { notice: Notice; onDismiss(): void }) {
  const [looked, setLooked] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: one timer per notice, begun anew after it was looked at
  useEffect(() => {
    if (looked) return;
    const timer = setTimeout(onDismiss, SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [notice.id, looked]);
  const { reason } = notice.params;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only stays while it is looked at
    <div
      className="notice"
      data-testid="notice"
      data-key={notice.key}
      onMouseEnter={() => setLooked(true)}
      onMouseLeave={() => setLooked(false)}
      onFocus={() => setLooked(true)}
      onBlur={() => setLooked(false)}
    >
      <span dir="auto">
        {t(notice.key, reason === undefined ? notice.params : { reason: explain(reason) })}
      </span>
      <button className="quiet" type="button" aria-label={t("notice.dismiss")} onClick={onDismiss}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}
