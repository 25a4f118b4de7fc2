/** One admission to a conference at one node: token, events and media, from the first to the last request. */

import { ConferenceApi, type Place } from "../api/conference";
import { EventStream } from "../api/events";
import { type Loss, PATIENCE, TokenKeeper } from "../api/keeper";
import { otherNodes } from "../api/nodes";
import type { Admission, Role, StreamEvent } from "../api/types";
import { Call } from "../call/call";
import type { Slides, Tracks } from "../call/connection";
import { signallingOver } from "../call/signalling";
import { settingsFor } from "./settings";

export interface SessionEvents {
  onEvent(event: StreamEvent): void;
  /** The event stream opened, or broke. */
  onStream(open: boolean): void;
  /** The node does not answer at the moment, or does again. */
  onDoubt(doubt: boolean): void;
  /** The node is lost to this session; `silence`: milliseconds since it last answered. */
  onLost(loss: Loss, silence: number): void;
  onRole(role: Role): void;
  onRemote(stream: MediaStream): void;
  onSlides(track: MediaStreamTrack): void;
  /** A new call took the place of the lost one. */
  onReplaced(): void;
  onRecovering(recovering: boolean): void;
  onConnected(): void;
}

export class Session {
  readonly api: ConferenceApi;
  /** Origin of the node. */
  readonly node: string;
  /** Other nodes to go on with, best first. */
  others: readonly string[];
  private readonly keeper: TokenKeeper;
  private readonly stream: EventStream;
  private readonly call: Call;
  private readonly events: SessionEvents;
  private dropped = false;

  /** `known`: nodes to keep in mind besides those this one tells of. */
  constructor(
    alias: string,
    node: string,
    known: readonly string[],
    admission: Admission,
    tracks: Tracks,
    limit: number | undefined,
    events: SessionEvents,
  ) {
    this.node = node;
    this.events = events;
    this.others = otherNodes(admission.node_urls, known, node);
    this.api = new ConferenceApi(alias, admission.token, admission.participant_uuid, node);
    this.keeper = new TokenKeeper({
      expires: Number(admission.expires) || 120,
      refresh: (timeout) => this.refresh(timeout),
      onDoubt: (doubt) => events.onDoubt(doubt),
      onLost: (loss, silence) => events.onLost(loss, silence),
    });
    this.stream = new EventStream({
      url: () => this.api.eventsUrl,
      onEvent: (event) => this.received(event),
      onState: (open) => this.streamState(open),
      onQuiet: () => void this.keeper.check(),
    });
    this.call = new Call(settingsFor(admission, limit), signallingOver(this.api), tracks, {
      onStream: (stream) => events.onRemote(stream),
      onRecovering: (recovering) => {
        events.onRecovering(recovering);
        // Media is often the first to notice that a whole node is gone.
        if (recovering) void this.keeper.check();
      },
      onConnected: () => events.onConnected(),
      onSlides: (track) => events.onSlides(track),
      onReplaced: () => events.onReplaced(),
    });
  }

  /** Returns when the call was answered for the first time, or is being tried again in the background. */
  async start(): Promise<void> {
    this.keeper.start();
    this.stream.open();
    await this.call.start();
  }

  /** Go on after `onLost`, where the node answers again and still knows us. Throws as a refresh does. */
  async resume(): Promise<void> {
    await this.refresh(PATIENCE);
    this.keeper.start();
    this.stream.open();
  }

  /** Take picture and sound to a breakout room; undefined: back to the conference. */
  move(place: Place | undefined): Promise<void> {
    return this.call.moved(() => {
      this.api.place = place;
    });
  }

  setTracks(tracks: Tracks): Promise<void> {
    return this.call.setTracks(tracks);
  }

  setSlides(slides: Slides): Promise<void> {
    return this.call.setSlides(slides);
  }

  statistics() {
    return this.call.statistics();
  }

  /** Keys pressed, to whatever listens at the other end of the call. */
  async press(digits: string): Promise<unknown> {
    const call = this.call.uuid;
    // Calls in breakout rooms take no tones of their own.
    const indirectly = call === undefined || this.api.place !== undefined;
    return indirectly ? this.api.digits(this.api.self, digits) : this.api.callDigits(call, digits);
  }

  /** The network is back, or the machine woke up. */
  check(): void {
    void this.keeper.check();
    this.stream.open();
  }

  /** End locally and at the node. */
  async end(reason: string): Promise<void> {
    this.quiet();
    try {
      if (!this.dropped) await this.call.close();
    } catch (error) {
      console.info("call already gone", error);
    }
    try {
      await this.api.release(reason);
    } catch (error) {
      console.info("token already gone", error);
    }
  }

  /** End locally only: the node is lost, or has ended the session already. */
  drop(): void {
    this.quiet();
    this.dropped = true;
    this.call.drop();
  }

  private quiet(): void {
    this.keeper.stop();
    this.stream.close();
  }

  private async refresh(timeout: number): Promise<void> {
    const { role, node_urls } = await this.api.refresh(timeout);
    this.others = otherNodes(node_urls, this.others, this.node);
    if (role) this.events.onRole(role);
  }

  private received(event: StreamEvent): void {
    this.events.onEvent(event);
    if (event.name === "media_lost") this.call.mediaLost(event.data?.call_uuid);
    if (event.name === "call_disconnected") this.call.endedByServer(event.data.call_uuid);
    if (event.name === "refresh_token") void this.keeper.check();
  }

  private streamState(open: boolean): void {
    this.events.onStream(open);
    // A refused stream looks like a broken one; the refresh tells whether we are still known.
    if (!open) void this.keeper.check();
  }
}
