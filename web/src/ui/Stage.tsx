import { useState } from "react";
import type { LocalState } from "../devices/local";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { isWaiting, type MeetingState } from "../state/meeting";
import { usePresenting } from "./hooks";
import { Icon } from "./Icon";
import { MainVideo } from "./MainVideo";
import { OwnShare } from "./OwnShare";
import { SelfView } from "./SelfView";
import { Slides } from "./Slides";

interface Props {
  meeting: Meeting;
  state: MeetingState;
  local: LocalState;
  /** The own camera lies on the picture. */
  selfShown: boolean;
}

/** The conference picture with what lies on it: presentation, own camera, waiting-room card, progress. */
export function Stage({ meeting, state, local, selfShown }: Props) {
  const { camera } = meeting.media;
  const { received, own } = usePresenting(meeting);
  const [pictureLarge, setPictureLarge] = useState(false);
  const waiting = isWaiting(state);
  const slides = state.presenter !== undefined && !own && !waiting;
  const shape = slides
    ? pictureLarge
      ? "picture"
      : "slides"
    : own?.kind === "document"
      ? "document"
      : "plain";
  return (
    <main className="stage" data-shape={shape} data-testid="stage">
      <div className="picture">
        <MainVideo meeting={meeting} speakerId={local.speakerId} />
        {!state.service.video && (
          <p className="stage-note">
            <Icon name="speaker" size={40} />
            {t("meeting.audioOnly")}
          </p>
        )}
        {!state.mediaUp && !waiting && (
          <p className="stage-note" role="status">
            <span className="spinner" aria-hidden="true" />
            {t("meeting.connecting")}
          </p>
        )}
      </div>
      {slides && (
        <Slides
          meeting={meeting}
          track={received}
          presenter={state.presenter?.presenter_name || state.presenter?.presenter_uri || "–"}
          small={pictureLarge}
          onSwap={() => setPictureLarge(!pictureLarge)}
        />
      )}
      <OwnShare meeting={meeting} />
      {waiting && (
        <div className="waiting" role="status" data-testid="waiting-room">
          <span className="medal">
            <Icon name="clock" size={30} />
          </span>
          <h2>{t("waiting.title")}</h2>
          <p className="soft">{t("waiting.text")}</p>
        </div>
      )}
      {camera && selfShown && (
        <div className="self-view">
          <SelfView track={camera} label={t("meeting.selfView")} />
        </div>
      )}
    </main>
  );
}
