import { useId, useState } from "react";
import type { EndAction, ParticipantRecord } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { MeetingState } from "../state/meeting";
import { inOrder, roomName, spread } from "../state/rooms";
import { nameOf } from "../state/roster";
import { Choice } from "./Choice";
import { FormDialog } from "./FormDialog";
import { movable } from "./Rooms";

/** The platform has this many open at once. */
const MOST = 50;
const COUNTS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20];
const MINUTES = [5, 10, 15, 20, 30, 45, 60, 90];

type Way = "chance" | "chosen" | "nobody";

/** Names not in use yet: `Room 3` comes after two rooms. */
function newNames(state: MeetingState, count: number): string[] {
  const taken = new Set(inOrder(state.rooms).map(roomName));
  const names: string[] = [];
  for (let number = 1; names.length < count; number += 1) {
    const name = t("rooms.name", { number });
    if (!taken.has(name)) names.push(name);
  }
  return names;
}

/** How many rooms, who goes where, for how long. */
export function OpenRoomsDialog(props: { meeting: Meeting; state: MeetingState; onClose(): void }) {
  const { meeting, state, onClose } = props;
  const people = movable(state.roster, state.self);
  const guests = people.filter((row) => row.role !== "chair");
  const room = MOST - state.rooms.size;
  const [count, setCount] = useState(Math.min(2, room));
  const [way, setWay] = useState<Way>(guests.length > 0 ? "chance" : "nobody");
  const [minutes, setMinutes] = useState("0");
  const [end, setEnd] = useState<EndAction>("transfer");
  const [mayLeave, setMayLeave] = useState(true);
  const [chosen, setChosen] = useState<ReadonlyMap<string, number>>(new Map());
  const id = useId();
  const names = newNames(state, count);

  const sent = (): string[][] => {
    if (way === "chance") {
      const uuids = guests.map((row) => row.uuid);
      return spread(uuids, count, Math.random);
    }
    if (way === "nobody") return [];
    const present = people.map((row) => row.uuid);
    return names.map((_, index) => present.filter((uuid) => chosen.get(uuid) === index));
  };
  const open = async () => {
    const groups = sent();
    for (const [index, name] of names.entries()) {
      const main = groups[index] ?? [];
      const done = await meeting.act((api) =>
        api.openRoom({
          name,
          duration: Number(minutes) * 60,
          end_action: end,
          guests_allowed_to_leave: mayLeave,
          participants: main.length > 0 ? { main } : {},
        }),
      );
      if (!done) return false;
    }
    return true;
  };
  return (
    <FormDialog title={t("rooms.openTitle")} submit={t("rooms.submit")} onSubmit={open} onClose={onClose}>
      <div className="two-fields">
        <Choice
          label={t("rooms.count")}
          testId="rooms-count"
          value={String(count)}
          options={COUNTS.filter((one) => one <= room).map((one) => [String(one), String(one)] as const)}
          onChange={(text) => setCount(Number(text))}
        />
        <Choice<Way>
          label={t("rooms.way")}
          testId="rooms-way"
          value={way}
          options={[
            ["chance", t("rooms.byChance", { count: guests.length })],
            ["chosen", t("rooms.byChoice")],
            ["nobody", t("rooms.byNobody")],
          ]}
          onChange={setWay}
        />
      </div>
      {way === "chosen" && <Assigning people={people} names={names} chosen={chosen} onChosen={setChosen} />}
      <div className="two-fields">
        <Choice
          label={t("rooms.duration")}
          testId="rooms-duration"
          value={minutes}
          options={[
            ["0", t("rooms.openEnd")],
            ...MINUTES.map((one) => [String(one), t("rooms.minutes", { count: one })] as const),
          ]}
          onChange={setMinutes}
        />
        <Choice<EndAction>
          label={t("rooms.end")}
          testId="rooms-end"
          value={end}
          options={[
            ["transfer", t("rooms.endBack")],
            ["disconnect", t("rooms.endGone")],
          ]}
          onChange={setEnd}
        />
      </div>
      <label className="switch" htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          data-testid="rooms-may-leave"
          checked={mayLeave}
          onChange={() => setMayLeave(!mayLeave)}
        />
        {t("rooms.mayLeave")}
      </label>
    </FormDialog>
  );
}

function Assigning(props: {
  people: readonly ParticipantRecord[];
  names: readonly string[];
  chosen: ReadonlyMap<string, number>;
  onChosen(chosen: ReadonlyMap<string, number>): void;
}) {
  const { people, names, chosen, onChosen } = props;
  if (people.length === 0) return <p className="soft small">{t("rooms.nobodyYet")}</p>;
  return (
    <ul className="assigning">
      {people.map((row) => {
        const at = chosen.get(row.uuid);
        return (
          <li key={row.uuid}>
            <bdi className="room-name">{nameOf(row)}</bdi>
            <select
              aria-label={t("rooms.assign", { name: nameOf(row) })}
              data-testid={`assign-${row.uuid}`}
              value={at === undefined || at >= names.length ? "" : String(at)}
              onChange={(event) => {
                const next = new Map(chosen);
                if (event.target.value === "") next.delete(row.uuid);
                else next.set(row.uuid, Number(event.target.value));
                onChosen(next);
              }}
            >
              <option value="">{t("rooms.stays")}</option>
              {names.map((name, index) => (
                <option key={name} value={index}>
                  {name}
                </option>
              ))}
            </select>
          </li>
        );
      })}
    </ul>
  );
}
