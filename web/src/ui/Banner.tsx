import type { LocalState } from "../devices/local";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { isMutedByHost, isWaiting, type MeetingState, mayUnmute } from "../state/meeting";
import { useOnline } from "./hooks";
import { Icon } from "./Icon";
import { handOverAddress } from "./routes";

interface Props {
  meeting: Meeting;
  state: MeetingState;
  local: LocalState;
}

const MOST_ADDRESSES = 3;

/** The node is lost: what happens, a way to stop it, and one by hand where the browser lets this page do nothing. */
function Rejoining({ meeting, state }: Pick<Props, "meeting" | "state">) {
  return (
    <div className="banner warn" role="status" data-testid="reconnecting" data-link={state.link}>
      <span className="spinner small-spinner" aria-hidden="true" />
      {t("banner.link")}
      {state.unreachable.slice(0, MOST_ADDRESSES).map((node) => (
        <a
          key={node}
          className="link"
          data-testid="continue-elsewhere"
          href={handOverAddress(node, meeting.handOver())}
        >
          {t("banner.elsewhere", { host: new URL(node).host })}
        </a>
      ))}
      <button
        className="link"
        type="button"
        data-testid="stop-rejoining"
        onClick={() => void meeting.leave()}
      >
        {t("banner.stop")}
      </button>
    </div>
  );
}

/** One line about what is wrong right now, if anything; the most important only. */
export function Banner({ meeting, state, local }: Props) {
  const online = useOnline();
  if (state.link === "rejoining") return <Rejoining meeting={meeting} state={state} />;
  if (state.link === "up" && !online) {
    return (
      <p className="banner warn" role="status" data-testid="offline">
        <Icon name="network" size={18} />
        {t("banner.offline")}
      </p>
    );
  }
  const node = !state.streamOpen || state.link === "doubted";
  if (node || (state.recovering && state.mediaUp)) {
    return (
      <p className="banner warn" role="status" data-testid="reconnecting" data-link={state.link}>
        <span className="spinner small-spinner" aria-hidden="true" />
        {t(node ? "banner.link" : "banner.media")}
      </p>
    );
  }
  // Nothing to get back yet: the stage says that it connects, but for where its card lies.
  if (state.recovering && isWaiting(state)) {
    return (
      <p className="banner" role="status" data-testid="connecting">
        <span className="spinner small-spinner" aria-hidden="true" />
        {t("meeting.connecting")}
      </p>
    );
  }
  if (state.held) {
    return (
      <p className="banner" role="status" data-testid="on-hold">
        <Icon name="pause" size={18} />
        {t("banner.held")}
      </p>
    );
  }
  if (isMutedByHost(state)) {
    return (
      <p className="banner" role="status" data-testid="muted-by-host">
        <Icon name="micOff" size={18} />
        {t("banner.mutedByHost")}
        {mayUnmute(state) && (
          <button
            className="link"
            type="button"
            data-testid="unmute-me"
            onClick={() => void meeting.act((api) => api.mute(state.self, false))}
          >
            {t("banner.unmute")}
          </button>
        )}
      </p>
    );
  }
  if (local.micFault || local.cameraFault) {
    const { media } = meeting;
    return (
      <div className="banner" role="status" data-testid="device-fault">
        <Icon name="warning" size={18} />
        <span>
          {local.micFault
            ? t("fault.mic", { problem: t(`fault.${local.micFault}`) })
            : t("fault.camera", { problem: t(`fault.${local.cameraFault ?? "unknown"}`) })}
        </span>
        <button className="link" type="button" data-testid="device-retry" onClick={() => void media.open()}>
          {t("fault.retry")}
        </button>
      </div>
    );
  }
  return null;
}
