import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { isWaiting, type MeetingState } from "../state/meeting";
import { nameOf, viewRoster } from "../state/roster";

/** Somebody waits to be let in, and the list of people is not in sight. */
export function Knock(props: { meeting: Meeting; state: MeetingState; onShow(): void }) {
  const { meeting, state, onShow } = props;
  if (state.role !== "HOST" || isWaiting(state)) return null;
  const { waiting } = viewRoster(state.roster, state.self);
  const [first] = waiting;
  if (!first) return null;
  const one = waiting.length === 1;
  return (
    <div className="knock" role="alert" data-testid="knock">
      <span>
        {one ? t("knock.one", { name: nameOf(first) }) : t("knock.many", { count: waiting.length })}
      </span>
      {one && (
        <button
          className="button primary small-button"
          type="button"
          data-testid="knock-admit"
          onClick={() => void meeting.act((api) => api.admit(first.uuid))}
        >
          {t("roster.admitShort")}
        </button>
      )}
      <button className="button small-button" type="button" data-testid="knock-show" onClick={onShow}>
        {t("knock.show")}
      </button>
    </div>
  );
}
