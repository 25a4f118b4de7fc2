import { t } from "../i18n";
import type { MeetingState } from "../state/meeting";
import { Icon } from "./Icon";
import { Logo } from "./Logo";

/** Which meeting this is, whether it is locked, streamed or recorded. */
export function TopBar({ state }: { state: MeetingState }) {
  const streamed =
    state.flags.streaming ||
    state.flags.public_streaming ||
    [...state.roster.byUuid.values()].some((row) => row.is_streaming_conference && row.has_media);
  return (
    <header className="topbar">
      <Logo size={26} wordmark={false} />
      <h1 className="topbar-name" data-testid="conference-name">
        {state.service.name}
      </h1>
      {state.flags.locked && (
        <span className="tag" data-testid="locked">
          <Icon name="lock" size={14} />
          {t("meeting.locked")}
        </span>
      )}
      {streamed && (
        <span className="tag live" data-testid="streaming">
          <Icon name="stream" size={14} />
          {t("stream.live")}
        </span>
      )}
      {state.flags.recording && (
        <span className="tag live" data-testid="recording">
          <Icon name="stream" size={14} />
          {t("stream.recording")}
        </span>
      )}
    </header>
  );
}
