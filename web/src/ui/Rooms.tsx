import type { ParticipantRecord } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { type MeetingState, seen } from "../state/meeting";
import { headCount, inOrder, type Room, roomName, wantsHelp } from "../state/rooms";
import { nameOf, type Roster, viewRoster } from "../state/roster";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { Menu, type MenuItem } from "./Menu";
import { TimeLeft } from "./TimeLeft";
import { useDesk } from "./wanted";

interface Props {
  meeting: Meeting;
  /** That of the conference itself, wherever our picture and sound are. */
  state: MeetingState;
}

/** Breakout rooms: who is where, going there, moving people, closing. */
export function Rooms({ meeting, state }: Props) {
  const desk = useDesk();
  const rooms = inOrder(state.rooms);
  if (rooms.length === 0) {
    return (
      <div className="rooms-none">
        <Icon name="rooms" size={40} />
        <p className="soft">{t("rooms.about")}</p>
        <button
          className="button primary"
          type="button"
          data-testid="open-rooms"
          onClick={() => desk.ask({ kind: "openRooms" })}
        >
          {t("rooms.open")}
        </button>
      </div>
    );
  }
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: there may be nothing else in it to scroll from with the keyboard */}
      <section className="rooms" data-testid="rooms" tabIndex={0} aria-label={t("rooms.title")}>
        <Main meeting={meeting} state={state} rooms={rooms} />
        {rooms.map((room) => (
          <RoomCard key={room.uuid} meeting={meeting} state={state} room={room} rooms={rooms} />
        ))}
      </section>
      <RoomTools meeting={meeting} />
    </>
  );
}

function Main({ meeting, state, rooms }: Props & { rooms: readonly Room[] }) {
  const people = movable(state.roster, state.self);
  return (
    <section className="room" aria-label={t("rooms.main")} data-testid="room-main">
      <header className="room-head">
        <h3>{t("rooms.main")}</h3>
        <span className="count">{people.length}</span>
        {state.place !== undefined && <Go meeting={meeting} room={undefined} name={t("rooms.main")} />}
      </header>
      <People meeting={meeting} people={people} from={undefined} rooms={rooms} />
    </section>
  );
}

function RoomCard(props: Props & { room: Room; rooms: readonly Room[] }) {
  const { meeting, state, room, rooms } = props;
  const name = roomName(room);
  const here = state.place === room.uuid;
  const help = wantsHelp(room.flags);
  const items: MenuItem[] = [
    {
      testId: "room-close",
      icon: "close",
      label: t("rooms.close"),
      danger: true,
      onChoose: () => void meeting.act((api) => api.closeRoom(room.uuid)),
    },
  ];
  if (help) {
    items.unshift({
      testId: "room-helped",
      icon: "check",
      label: t("rooms.helped"),
      onChoose: () => void meeting.act((api) => api.helpGiven(room.uuid)),
    });
  }
  return (
    <section
      className={here ? "room here" : "room"}
      aria-label={name}
      data-testid={`room-${room.uuid}`}
      data-name={name}
    >
      <header className="room-head">
        <div className="room-title">
          <h3 dir="auto" title={name}>
            {name}
          </h3>
          <TimeLeft flags={room.flags} />
        </div>
        <span className="count">{headCount(room)}</span>
        {here ? (
          <span className="room-here small">{t("rooms.here")}</span>
        ) : (
          <Go meeting={meeting} room={room.uuid} name={name} />
        )}
        <Menu
          testId={`room-menu-${room.uuid}`}
          className="quiet"
          label={t("roster.menu", { name })}
          items={items}
        >
          <Icon name="more" size={20} />
        </Menu>
      </header>
      {help && (
        <p className="room-help" data-testid="room-help">
          <Icon name="lifebuoy" size={17} />
          {t("rooms.wantsHelp", { name })}
        </p>
      )}
      <People meeting={meeting} people={movable(room.roster, room.self)} from={room.uuid} rooms={rooms} />
    </section>
  );
}

function Go({ meeting, room, name }: { meeting: Meeting; room: string | undefined; name: string }) {
  return (
    <button
      className="button small-button accent"
      type="button"
      data-testid={`room-go-${room ?? "main"}`}
      aria-label={t("rooms.goTo", { name })}
      onClick={() => void meeting.goTo(room)}
    >
      {t("rooms.go")}
    </button>
  );
}

/** Who can be sent somewhere: in the room, not ourselves, not a Host who is elsewhere. */
export function movable(roster: Roster, self: string): ParticipantRecord[] {
  const { hosts, guests } = viewRoster(roster, self);
  return [...hosts, ...guests].filter(
    (row) => row.uuid !== self && !row.is_conjoined && !row.is_streaming_conference,
  );
}

function People(props: {
  meeting: Meeting;
  people: readonly ParticipantRecord[];
  from: string | undefined;
  rooms: readonly Room[];
}) {
  const { meeting, people, from, rooms } = props;
  if (people.length === 0) return <p className="soft small room-empty">{t("rooms.nobody")}</p>;
  const to = (row: ParticipantRecord, room: string | undefined) =>
    void meeting.act((api) => api.move([row.uuid], from, room));
  const itemsFor = (row: ParticipantRecord): MenuItem[] => [
    ...(from === undefined
      ? []
      : [
          {
            testId: "move-main",
            icon: "back" as const,
            label: t("rooms.moveBack"),
            onChoose: () => to(row, undefined),
          },
        ]),
    ...rooms
      .filter((room) => room.uuid !== from)
      .map((room) => ({
        testId: `move-${room.uuid}`,
        icon: "arrow" as const,
        label: t("rooms.moveTo", { name: roomName(room) }),
        onChoose: () => to(row, room.uuid),
      })),
  ];
  return (
    <ul>
      {people.map((row) => {
        const name = nameOf(row);
        return (
          <li key={row.uuid} className="room-person" data-testid={`in-room-${row.uuid}`}>
            <Avatar name={name} talking={false} />
            <bdi className="room-name" title={name}>
              {name}
            </bdi>
            <Menu
              testId={`move-menu-${row.uuid}`}
              className="quiet"
              label={t("roster.menu", { name })}
              items={itemsFor(row)}
            >
              <Icon name="more" size={20} />
            </Menu>
          </li>
        );
      })}
    </ul>
  );
}

function RoomTools({ meeting }: { meeting: Meeting }) {
  const desk = useDesk();
  return (
    <footer className="panel-foot">
      <button
        className="button"
        type="button"
        data-testid="open-rooms"
        onClick={() => desk.ask({ kind: "openRooms" })}
      >
        <Icon name="plus" size={18} />
        {t("rooms.more")}
      </button>
      <button
        className="button"
        type="button"
        data-testid="rooms-message"
        onClick={() => desk.ask({ kind: "sayToRooms" })}
      >
        <Icon name="megaphone" size={18} />
        {t("rooms.message")}
      </button>
      <button
        className="button"
        type="button"
        data-testid="rooms-empty"
        onClick={() => void meeting.act((api) => api.emptyRooms())}
      >
        <Icon name="back" size={18} />
        {t("rooms.empty")}
      </button>
      <button
        className="button"
        type="button"
        data-testid="rooms-close"
        onClick={() => void meeting.act((api) => api.closeAllRooms())}
      >
        <Icon name="close" size={18} />
        {t("rooms.closeAll")}
      </button>
    </footer>
  );
}

/** How many rooms are open; for the head of the panel. */
export function RoomCount({ state }: { state: MeetingState }) {
  return state.rooms.size > 0 ? <span className="count">{state.rooms.size}</span> : null;
}

/** Where our picture and sound are, when that is a breakout room, and the ways out of it. */
export function RoomBar({ meeting, state }: Props) {
  const { flags } = seen(state);
  const host = state.place !== undefined;
  if (!flags.breakout || state.link === "rejoining") return null;
  const asking = wantsHelp(flags);
  return (
    <section className="room-bar" aria-label={t("rooms.title")} data-testid="room-bar">
      <Icon name="rooms" size={18} />
      <strong dir="auto" className="room-bar-name">
        {flags.breakout_name || t("rooms.title")}
      </strong>
      <TimeLeft flags={flags} />
      {!host && (
        <button
          className="button small-button"
          type="button"
          data-testid="ask-for-help"
          onClick={() => void meeting.act((api) => api.askForHelp(!asking))}
        >
          <Icon name="lifebuoy" size={17} />
          {t(asking ? "rooms.helpAsked" : "rooms.askForHelp")}
        </button>
      )}
      {(host || flags.breakout_guests_allowed_to_leave) && (
        <button
          className="button small-button"
          type="button"
          data-testid="leave-room"
          onClick={() => (host ? void meeting.goTo(undefined) : void meeting.act((api) => api.leaveRoom()))}
        >
          <Icon name="back" size={17} />
          {t("rooms.leave")}
        </button>
      )}
    </section>
  );
}
