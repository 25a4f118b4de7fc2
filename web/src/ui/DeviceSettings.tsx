import { useState } from "react";
import type { LocalMedia, LocalState } from "../devices/local";
import { remember } from "../devices/memory";
import { playTestTone } from "../devices/tone";
import { t } from "../i18n";
import { DevicePicker } from "./DevicePicker";

/** The three choices: microphone, camera, speaker. */
export function DeviceSettings({ media, local }: { media: LocalMedia; local: LocalState }) {
  const [playing, setPlaying] = useState(false);
  const of = (kind: MediaDeviceKind) =>
    local.devices.filter((device) => device.kind === kind && device.deviceId);
  const test = async () => {
    setPlaying(true);
    try {
      await playTestTone(local.speakerId);
    } catch (error) {
      console.warn("test tone failed", error);
    }
    setPlaying(false);
  };
  return (
    <div className="devices">
      <DevicePicker
        icon="mic"
        label={t("check.microphone")}
        testId="microphone"
        devices={of("audioinput")}
        chosen={media.microphone?.getSettings().deviceId ?? local.micId}
        onChoose={(micId) => {
          remember({ micId });
          void media.chooseMicrophone(micId);
        }}
      />
      <DevicePicker
        icon="camera"
        label={t("check.camera")}
        testId="camera"
        devices={of("videoinput")}
        chosen={media.camera?.getSettings().deviceId ?? local.cameraId}
        onChoose={(cameraId) => {
          remember({ cameraId });
          void media.chooseCamera(cameraId);
        }}
      />
      <DevicePicker
        icon="speaker"
        label={t("check.speaker")}
        testId="speaker"
        devices={of("audiooutput")}
        fallback={t("check.default")}
        chosen={local.speakerId}
        onChoose={(speakerId) => {
          remember({ speakerId });
          media.chooseSpeaker(speakerId);
        }}
      >
        <button
          className="button small-button"
          type="button"
          data-testid="speaker-test"
          disabled={playing}
          onClick={() => void test()}
        >
          {t(playing ? "check.testing" : "check.test")}
        </button>
      </DevicePicker>
    </div>
  );
}
