import type { LocalMedia, LocalState } from "../devices/local";
import { t } from "../i18n";
import { DeviceSettings } from "./DeviceSettings";
import { Dialog } from "./Dialog";
import { LevelMeter } from "./LevelMeter";

/** Changing devices during the meeting. */
export function DevicesDialog(props: { media: LocalMedia; local: LocalState; onClose(): void }) {
  const { media, local, onClose } = props;
  return (
    <Dialog title={t("control.settings")} onClose={onClose}>
      <DeviceSettings media={media} local={local} />
      <LevelMeter track={local.micMuted ? undefined : media.microphone} />
    </Dialog>
  );
}
