import { useSyncExternalStore } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { DocumentShare } from "../sharing/document";
import { usePresenting } from "./hooks";
import { Icon } from "./Icon";
import { SelfPlaying } from "./SelfPlaying";
import { Tool } from "./Slides";

/** What we present ourselves: that it is so, a way to end it and, for documents, the pages. */
export function OwnShare({ meeting }: { meeting: Meeting }) {
  const { own } = usePresenting(meeting);
  if (!own) return null;
  const stop = (
    <button
      className="button danger small-button"
      type="button"
      data-testid="share-stop"
      onClick={() => void meeting.presenting.stop()}
    >
      <Icon name="stop" size={16} />
      {t("control.shareStop")}
    </button>
  );
  if (own instanceof DocumentShare) {
    return (
      <section className="own-document" aria-label={own.name} data-testid="own-document">
        <SelfPlaying track={own.track} testId="own-page" label={own.name} />
        <div className="own-tools">
          <Pager share={own} />
          {stop}
        </div>
      </section>
    );
  }
  return (
    <div className="own-screen" data-testid="own-screen" role="status">
      <Icon name="share" size={20} />
      {t("share.screenOf")}
      {stop}
    </div>
  );
}

function Pager({ share }: { share: DocumentShare }) {
  const page = useSyncExternalStore(share.subscribe, () => share.page);
  if (share.count < 2) return null;
  const go = (to: number) => void share.go(to);
  return (
    <>
      <Tool
        icon="left"
        label={t("share.previous")}
        testId="page-back"
        off={page === 0}
        onClick={() => go(page - 1)}
      />
      <span role="status" data-testid="page">
        {t("share.page", { page: page + 1, count: share.count })}
      </span>
      <Tool
        icon="right"
        label={t("share.next")}
        testId="page-on"
        off={page === share.count - 1}
        onClick={() => go(page + 1)}
      />
    </>
  );
}
