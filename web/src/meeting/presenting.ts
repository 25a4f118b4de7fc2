/** Presenting to the others and watching what they present, over whatever session there is. */

import { ApiError } from "../api/http";
import { type Action, type MeetingState, seen } from "../state/meeting";
import type { Store } from "../state/store";
import type { Session } from "./session";

/** Something that can be presented: a screen, or pages drawn by the app. */
export interface Source {
  track: MediaStreamTrack;
  kind: "screen" | "document";
  /** Let go of it; called once. */
  close(): void;
}

export class Presenting {
  private source: Source | undefined;
  private track: MediaStreamTrack | undefined;
  private readonly listeners = new Set<() => void>();
  private readonly store: Store<MeetingState, Action>;
  private readonly session: () => Session | undefined;

  constructor(store: Store<MeetingState, Action>, session: () => Session | undefined) {
    this.store = store;
    this.session = session;
  }

  /** What others present to us, while somebody does. */
  get received(): MediaStreamTrack | undefined {
    return this.track;
  }

  /** What we present. */
  get own(): Source | undefined {
    return this.source;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private told(): void {
    for (const listener of [...this.listeners]) listener();
  }

  async start(source: Source): Promise<void> {
    const session = this.session();
    if (!session) {
      source.close();
      return;
    }
    this.letGo();
    try {
      await session.api.takeFloor();
      this.source = source;
      source.track.addEventListener("ended", () => this.source === source && void this.stop());
      this.store.dispatch({ type: "presenting", kind: source.kind });
      this.told();
      await session.setSlides({ send: source.track, receive: false });
    } catch (error) {
      console.warn("presenting failed", error);
      const reason = error instanceof ApiError ? error.reason : "network";
      this.store.dispatch({ type: "notice", key: "notice.presentingFailed", params: { reason } });
      await this.stop();
      source.close();
    }
  }

  async stop(): Promise<void> {
    if (!this.source) return;
    this.letGo();
    const session = this.session();
    if (!session) return;
    try {
      await session.api.releaseFloor();
    } catch (error) {
      console.info("floor not released", error);
    }
    await this.follow();
  }

  /** Somebody else presents: ours has ended without our doing. */
  replaced(): void {
    if (!this.source) return;
    this.letGo();
    this.store.dispatch({ type: "notice", key: "notice.presentationTaken" });
  }

  /** Watch what is presented, or stop watching, as the state of the meeting says. */
  async follow(): Promise<void> {
    if (this.source) return;
    const receive = seen(this.store.get()).presenter !== undefined;
    try {
      await this.session()?.setSlides({ send: undefined, receive });
    } catch (error) {
      // Whatever is wrong with the call is noticed and mended elsewhere, and asks again afterwards.
      console.warn("presentation not negotiated", error);
    }
  }

  show(track: MediaStreamTrack | undefined): void {
    this.track = track;
    this.told();
  }

  /** After a new call took the place of a lost one, or the visit went on elsewhere. */
  async again(): Promise<void> {
    const { source } = this;
    const session = this.session();
    if (!source || !session) return this.follow();
    try {
      await session.api.takeFloor();
      await session.setSlides({ send: source.track, receive: false });
    } catch (error) {
      console.warn("presenting did not go on", error);
      this.letGo();
      this.store.dispatch({ type: "notice", key: "notice.presentationTaken" });
    }
  }

  /** End locally. */
  letGo(): void {
    const { source } = this;
    this.source = undefined;
    source?.close();
    if (source) this.store.dispatch({ type: "presenting", kind: undefined });
    this.told();
  }
}
