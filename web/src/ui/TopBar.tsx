import { t } from "../i18n";
import type { MeetingState } from "../state/meeting";
import { Icon } from "./Icon";
import { Logo } from "./Logo";

/** Which meeting this is, and whether it is locked. */
export function TopBar({ state }: { state: MeetingState }) {
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
    </header>
  );
}
