import { useEffect, useState } from "react";
import { meter } from "../devices/level";
import { t } from "../i18n";

/** Live loudness of the microphone. */
export function LevelMeter({ track }: { track: MediaStreamTrack | undefined }) {
  const [level, setLevel] = useState(0);
  useEffect(() => {
    setLevel(0);
    return track ? meter(track, setLevel) : undefined;
  }, [track]);
  const percent = Math.round(level * 100);
  return (
    <div className="level">
      {/* biome-ignore lint/a11y/useSemanticElements: a <meter> cannot be styled alike in all browsers */}
      <div
        className="level-track"
        role="meter"
        aria-label={t("check.level")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        data-testid="level-meter"
      >
        <div className="level-bar" style={{ transform: `scaleX(${level})` }} />
      </div>
    </div>
  );
}
