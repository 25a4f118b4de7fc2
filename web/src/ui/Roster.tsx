import { useMemo } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { MeetingState } from "../state/meeting";
import { viewRoster } from "../state/roster";
import { RosterRow } from "./RosterRow";

/** Who is here, and who wants in. */
export function Roster({ meeting, state }: { meeting: Meeting; state: MeetingState }) {
  const view = useMemo(() => viewRoster(state.roster, state.self), [state.roster, state.self]);
  const host = state.role === "HOST" && state.where !== "waiting_room";
  return (
    <div className="roster" data-testid="roster">
      {view.waiting.length > 0 && (
        <section aria-label={t("roster.waiting")}>
          <h3>{t("roster.waiting")}</h3>
          <ul>
            {view.waiting.map((row) => (
              <RosterRow
                key={row.uuid}
                meeting={meeting}
                row={row}
                self={false}
                host={host}
                talking={false}
              />
            ))}
          </ul>
        </section>
      )}
      <section aria-label={t("roster.present")}>
        {view.waiting.length > 0 && <h3>{t("roster.present")}</h3>}
        <ul>
          {view.present.map((row) => (
            <RosterRow
              key={row.uuid}
              meeting={meeting}
              row={row}
              self={row.uuid === state.self}
              host={host}
              talking={(state.roster.voice.get(row.uuid) ?? 0) > 0}
            />
          ))}
        </ul>
      </section>
    </div>
  );
}
