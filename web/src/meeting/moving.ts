/** A Host's picture and sound go to a breakout room and come back, while the Host stays in the conference. */

import type { StreamEvent } from "../api/types";
import type { Action, MeetingState } from "../state/meeting";
import { roomName } from "../state/rooms";
import type { Store } from "../state/store";
import type { Presenting } from "./presenting";
import type { Session } from "./session";

/** After the event stream broke, a room that is still open is told of again within this time. */
const TOLD_AGAIN = 3_000;

export class Moving {
  private chain: Promise<void> = Promise.resolve();
  private readonly store: Store<MeetingState, Action>;
  private readonly presenting: Presenting;
  private readonly session: () => Session | undefined;
  private readonly arrived: () => void;

  /** `arrived`: called when the new call is placed, to say there what is switched off. */
  constructor(
    store: Store<MeetingState, Action>,
    presenting: Presenting,
    session: () => Session | undefined,
    arrived: () => void,
  ) {
    this.store = store;
    this.presenting = presenting;
    this.session = session;
    this.arrived = arrived;
  }

  /** Go to the room `uuid`; undefined: back to the conference. One move after the other. */
  to(uuid: string | undefined): Promise<void> {
    this.chain = this.chain.then(() => this.move(uuid));
    return this.chain;
  }

  received(event: StreamEvent): void {
    const { place } = this.store.get();
    if (event.name === "breakout_refer") {
      const { breakout_uuid: room } = event.data;
      void this.to(room === "main" ? undefined : room);
    }
    if (place === undefined) return;
    if (event.name === "breakout_end" && event.data.breakout_uuid === place) {
      this.store.dispatch({ type: "notice", key: "notice.roomClosed" });
      void this.to(undefined);
    }
    // A new stream tells of all open rooms; ours may have been closed meanwhile.
    if (event.name === "hello") setTimeout(() => this.stillThere(place), TOLD_AGAIN);
  }

  private stillThere(place: string): void {
    const state = this.store.get();
    if (state.place === place && !state.rooms.has(place)) void this.to(undefined);
  }

  private async move(uuid: string | undefined): Promise<void> {
    const session = this.session();
    const { rooms, place, phase } = this.store.get();
    if (!session || phase.kind !== "active" || place === uuid) return;
    const room = uuid === undefined ? undefined : rooms.get(uuid);
    if (uuid !== undefined && !room) return;
    await this.presenting.stop();
    this.presenting.show(undefined);
    this.store.dispatch({ type: "place", room: uuid });
    await session.move(room && { room: room.uuid, self: room.self });
    if (room) this.store.dispatch({ type: "notice", key: "notice.inRoom", params: { name: roomName(room) } });
    this.arrived();
    await this.presenting.follow();
  }
}
