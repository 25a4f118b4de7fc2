import { useMemo, useState } from "react";
import type { ParticipantRecord } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { type MeetingState, mayChat } from "../state/meeting";
import { type RosterView, stageOrder, viewRoster } from "../state/roster";
import { Icon } from "./Icon";
import { RosterRow } from "./RosterRow";

const GROUPS: readonly (keyof RosterView)[] = ["waiting", "calling", "hosts", "guests"];
/** With fewer, everybody is seen at a glance. */
const WORTH_SEARCHING = 7;

/** Who is here, and who wants in. */
export function Roster({ meeting, state }: { meeting: Meeting; state: MeetingState }) {
  const [search, setSearch] = useState("");
  const { roster, self } = state;
  const view = useMemo(() => viewRoster(roster, self, search), [roster, self, search]);
  const places = useMemo(() => stageOrder(roster), [roster]);
  const host = state.role === "HOST" && state.where !== "waiting_room";
  const row = (one: ParticipantRecord) => (
    <RosterRow
      key={one.uuid}
      meeting={meeting}
      row={one}
      self={one.uuid === self}
      host={host}
      talking={(roster.voice.get(one.uuid) ?? 0) > 0}
      place={places.get(one.uuid)}
      chat={mayChat(state)}
      inRoom={state.place !== undefined}
    />
  );
  const shown = GROUPS.filter((group) => view[group].length > 0);
  return (
    <>
      {roster.byUuid.size >= WORTH_SEARCHING && (
        <div className="roster-search">
          <Icon name="search" size={18} />
          <input
            type="search"
            aria-label={t("roster.search")}
            placeholder={t("roster.search")}
            data-testid="roster-search"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </div>
      )}
      <div className="roster" data-testid="roster">
        {shown.length === 0 && search && <p className="soft roster-empty">{t("roster.nobody")}</p>}
        {shown.map((group) => (
          <section key={group} aria-label={t(`roster.${group}`)} data-testid={`group-${group}`}>
            <h3>
              {t(`roster.${group}`)} <span className="soft">{view[group].length}</span>
              {group === "waiting" && host && view.waiting.length > 1 && (
                <button
                  type="button"
                  className="link group-link"
                  data-testid="admit-all"
                  onClick={() => {
                    for (const one of view.waiting) void meeting.act((api) => api.admit(one.uuid));
                  }}
                >
                  {t("roster.admitAll")}
                </button>
              )}
            </h3>
            <ul>{view[group].map(row)}</ul>
          </section>
        ))}
      </div>
    </>
  );
}
