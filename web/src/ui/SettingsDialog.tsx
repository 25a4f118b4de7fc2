import { useId, useState } from "react";
import type { LocalMedia, LocalState } from "../devices/local";
import { recall, remember } from "../devices/memory";
import { choices, speak, t } from "../i18n";
import { applyTheme } from "../theme";
import { Choice } from "./Choice";
import { DeviceSettings } from "./DeviceSettings";
import { Dialog } from "./Dialog";
import { Faults } from "./Faults";
import { useLanguage } from "./hooks";
import { LevelMeter } from "./LevelMeter";
import { Reachable } from "./Reachable";

interface Props {
  media?: LocalMedia;
  local?: LocalState;
  onClose(): void;
}

/** Devices, language, appearance, bandwidth; each takes effect at once unless it says otherwise. */
export function SettingsDialog({ media, local, onClose }: Props) {
  useLanguage();
  return (
    <Dialog title={t("settings.title")} onClose={onClose}>
      <div className="settings" data-testid="settings">
        {media && local && (
          <section>
            <h3>{t("settings.devices")}</h3>
            <DeviceSettings media={media} local={local} />
            <LevelMeter track={local.micMuted ? undefined : media.microphone} />
            <Faults local={local} onRetry={() => void media.open()} />
          </section>
        )}
        <section>
          {media && <h3>{t("settings.general")}</h3>}
          <General />
        </section>
        <section>
          <h3>{t("reachable.title")}</h3>
          <Reachable />
        </section>
      </div>
    </Dialog>
  );
}

function General() {
  const [known, setKnown] = useState(recall);
  const id = useId();
  const keep = (change: Parameters<typeof remember>[0]) => {
    remember(change);
    setKnown(recall());
  };
  return (
    <div className="dialog-form">
      <div className="two-fields">
        <Choice
          label={t("settings.language")}
          testId="choose-language"
          value={known.language ?? ""}
          options={[["", t("settings.automatic")], ...choices()]}
          onChange={(tag) => {
            keep({ language: tag || undefined });
            speak(tag || undefined);
          }}
        />
        <Choice
          label={t("settings.theme")}
          testId="choose-theme"
          value={known.theme ?? ""}
          options={[
            ["", t("settings.themeSystem")],
            ["light", t("settings.themeLight")],
            ["dark", t("settings.themeDark")],
          ]}
          onChange={(theme) => {
            keep({ theme: theme || undefined });
            applyTheme(theme || undefined);
          }}
        />
      </div>
      <Choice
        label={t("settings.bandwidth")}
        testId="choose-bandwidth"
        value={String(known.bandwidth ?? "")}
        options={[
          ["", t("settings.bandwidthAuto")],
          ["512", t("settings.bandwidthLow")],
          ["1264", t("settings.bandwidthMedium")],
          ["2464", t("settings.bandwidthHigh")],
        ]}
        note={t("settings.bandwidthNote")}
        onChange={(kbps) => keep({ bandwidth: kbps ? Number(kbps) : undefined })}
      />
      <label className="switch" htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          data-testid="keys-on"
          checked={!known.keysOff}
          onChange={() => keep({ keysOff: !known.keysOff })}
        />
        {t("settings.shortcuts")}
      </label>
    </div>
  );
}
