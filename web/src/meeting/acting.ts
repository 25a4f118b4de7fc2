/** What a participant does to the conference it is in, at whichever node. */

import type { ConferenceApi } from "../api/conference";
import { ApiError } from "../api/http";
import type { ParticipantRecord } from "../api/types";
import { type Action, initialMeeting, type MeetingState, reduceMeeting } from "../state/meeting";
import { nameOf } from "../state/roster";
import { createStore, type Store } from "../state/store";
import type { Session } from "./session";

export class Acting {
  readonly store: Store<MeetingState, Action> = createStore(reduceMeeting, initialMeeting);
  protected session: Session | undefined;

  /** Carry out an action; a refusal is shown to the user. */
  async act(action: (api: ConferenceApi) => Promise<unknown>): Promise<boolean> {
    if (!this.session) return false;
    try {
      const answer = await action(this.session.api);
      if (answer !== false) return true;
      this.store.dispatch({ type: "notice", key: "notice.notDone" });
    } catch (error) {
      const reason = error instanceof ApiError ? error.reason : "network";
      this.store.dispatch({ type: "notice", key: "notice.actionFailed", params: { reason } });
    }
    return false;
  }

  /** To everyone, or to one participant only. */
  async say(text: string, to?: ParticipantRecord): Promise<void> {
    if (!this.session) return;
    let delivered = false;
    try {
      delivered = await this.session.api.say(text, to?.uuid);
    } catch (error) {
      console.warn("message not sent", error);
    }
    this.store.dispatch({ type: "said", text, now: Date.now(), delivered, direct: to && nameOf(to) });
  }

  /** Read something of the conference; undefined when it cannot be had. */
  async read<T>(question: (api: ConferenceApi) => Promise<T>): Promise<T | undefined> {
    try {
      return this.session && (await question(this.session.api));
    } catch (error) {
      console.info("not answered", error);
      return undefined;
    }
  }

  async press(digits: string): Promise<void> {
    await this.act(() => this.session?.press(digits) ?? Promise.resolve());
  }

  statistics() {
    return this.session?.statistics();
  }
}
