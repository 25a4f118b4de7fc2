import { useCallback, useEffect, useRef, useState } from "react";
import { routeToSpeaker } from "../devices/tone";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { Icon } from "./Icon";

/** The received picture and sound. */
export function MainVideo({ meeting, speakerId }: { meeting: Meeting; speakerId: string | undefined }) {
  const video = useRef<HTMLVideoElement>(null);
  const [blocked, setBlocked] = useState(false);

  const play = useCallback(async () => {
    try {
      await video.current?.play();
      setBlocked(false);
    } catch (error) {
      // NotAllowedError: the browser wants a gesture before sound. Others: the stream changed meanwhile.
      if (error instanceof DOMException && error.name === "NotAllowedError") setBlocked(true);
    }
  }, []);

  useEffect(() => {
    meeting.onRemoteStream((stream) => {
      if (!video.current) return;
      video.current.srcObject = stream ?? null;
      if (stream) void play();
    });
    return () => meeting.onRemoteStream(() => undefined);
  }, [meeting, play]);

  useEffect(() => {
    if (video.current) void routeToSpeaker(video.current, speakerId);
  }, [speakerId]);

  return (
    <>
      {/* biome-ignore lint/a11y/useMediaCaption: live media has no caption track */}
      <video
        ref={video}
        className="main-video"
        data-testid="main-video"
        aria-label={t("meeting.video")}
        autoPlay
        playsInline
      />
      {blocked && (
        <button className="button primary sound-button" type="button" onClick={() => void play()}>
          <Icon name="speaker" />
          {t("meeting.enableSound")}
        </button>
      )}
    </>
  );
}
