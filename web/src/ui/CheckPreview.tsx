import type { LocalMedia, LocalState } from "../devices/local";
import { t } from "../i18n";
import { Faults } from "./Faults";
import { LevelMeter } from "./LevelMeter";
import { SelfView } from "./SelfView";
import { ToggleButton } from "./ToggleButton";

/** The camera picture with the two switches and the level meter on it. */
export function CheckPreview({ media, local }: { media: LocalMedia; local: LocalState }) {
  const muted = local.micMuted || !media.microphone;
  return (
    <section className="preview-column">
      <div className="preview">
        {media.camera ? (
          <SelfView track={media.camera} label={t("check.preview")} />
        ) : (
          <p className="preview-empty">{local.opening ? t("check.starting") : t("check.cameraOff")}</p>
        )}
        <div className="preview-controls">
          <ToggleButton
            testId="check-mic"
            icon={muted ? "micOff" : "mic"}
            label={t(muted ? "control.unmute" : "control.mute")}
            off={muted}
            onClick={() => void media.setMicMuted(!muted)}
          />
          <ToggleButton
            testId="check-camera"
            icon={media.camera ? "camera" : "cameraOff"}
            label={t(media.camera ? "control.cameraOff" : "control.cameraOn")}
            off={!media.camera}
            onClick={() => void media.setCameraWanted(!media.camera)}
          />
        </div>
      </div>
      <LevelMeter track={muted ? undefined : media.microphone} />
      {media.microphone && !muted && <p className="soft small">{t("check.quiet")}</p>}
      <Faults local={local} onRetry={() => void media.open()} />
    </section>
  );
}
