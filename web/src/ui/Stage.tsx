import type { LocalState } from "../devices/local";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { isWaiting, type MeetingState } from "../state/meeting";
import { Icon } from "./Icon";
import { MainVideo } from "./MainVideo";
import { SelfView } from "./SelfView";

interface Props {
  meeting: Meeting;
  state: MeetingState;
  local: LocalState;
}

/** The conference picture with what lies on it: own camera, waiting-room card, progress. */
export function Stage({ meeting, state, local }: Props) {
  const { camera } = meeting.media;
  return (
    <main className="stage">
      <MainVideo meeting={meeting} speakerId={local.speakerId} />
      {!state.service.video && (
        <p className="stage-note">
          <Icon name="speaker" size={40} />
          {t("meeting.audioOnly")}
        </p>
      )}
      {!state.mediaUp && !isWaiting(state) && (
        <p className="stage-note" role="status">
          <span className="spinner" aria-hidden="true" />
          {t("meeting.connecting")}
        </p>
      )}
      {isWaiting(state) && (
        <div className="waiting" role="status" data-testid="waiting-room">
          <span className="medal">
            <Icon name="clock" size={30} />
          </span>
          <h2>{t("waiting.title")}</h2>
          <p className="soft">{t("waiting.text")}</p>
        </div>
      )}
      {camera && (
        <div className="self-view">
          <SelfView track={camera} label={t("meeting.selfView")} />
        </div>
      )}
    </main>
  );
}
