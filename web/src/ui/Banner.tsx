import type { LocalState } from "../devices/local";
import { t } from "../i18n";
import { isMutedByHost, type MeetingState } from "../state/meeting";
import { Icon } from "./Icon";

/** One line about what is wrong right now, if anything; the most important only. */
export function Banner({ state, local }: { state: MeetingState; local: LocalState }) {
  if (state.recovering || !state.streamOpen) {
    return (
      <p className="banner warn" role="status" data-testid="reconnecting">
        <span className="spinner small-spinner" aria-hidden="true" />
        {t(state.recovering ? "banner.media" : "banner.stream")}
      </p>
    );
  }
  if (isMutedByHost(state)) {
    return (
      <p className="banner" role="status" data-testid="muted-by-host">
        <Icon name="micOff" size={18} />
        {t("banner.mutedByHost")}
      </p>
    );
  }
  if (local.micFault) {
    return (
      <p className="banner" role="status">
        <Icon name="warning" size={18} />
        {t("fault.mic", { problem: t(`fault.${local.micFault}`) })}
      </p>
    );
  }
  return null;
}
