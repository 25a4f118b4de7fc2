/** The conference call of this client: the connection of the moment, its recovery, and the received stream. */

import { type ConnectionSettings, MediaConnection, type Slides, type Tracks } from "./connection";
import { Recovery } from "./recovery";
import type { Signalling } from "./signalling";

export interface CallEvents {
  /** Remote media to show; a new object whenever its tracks changed. */
  onStream(stream: MediaStream): void;
  /** What is presented to us. */
  onSlides(track: MediaStreamTrack): void;
  onRecovering(recovering: boolean): void;
  onConnected(): void;
  /** A new call took the place of the lost one, and sends no slides yet. */
  onReplaced(): void;
}

export class Call {
  private connection: MediaConnection;
  private stream = new MediaStream();
  private tracks: Tracks;
  private slides: Slides = { send: undefined, receive: false };
  private ended = false;
  private readonly recovery: Recovery;
  private readonly settings: ConnectionSettings;
  private readonly signalling: Signalling;
  private readonly events: CallEvents;

  constructor(settings: ConnectionSettings, signalling: Signalling, tracks: Tracks, events: CallEvents) {
    this.settings = settings;
    this.signalling = signalling;
    this.tracks = tracks;
    this.events = events;
    this.recovery = new Recovery(
      {
        restart: () => this.connection.negotiate(true),
        rebuild: () => this.rebuild(),
        received: () => this.connection.received(),
        connected: () => this.connection.connected,
      },
      (recovering) => events.onRecovering(recovering),
    );
    this.connection = this.connect();
  }

  /** Place the call. Failing is not fatal: it is tried again until the call is closed. */
  async start(): Promise<void> {
    try {
      await this.connection.negotiate();
      this.recovery.watch();
    } catch (error) {
      if (this.ended) return;
      console.warn("call not answered", error);
      this.recovery.callGone();
    }
  }

  setTracks(tracks: Tracks): Promise<void> {
    this.tracks = tracks;
    return this.connection.setTracks(tracks);
  }

  get uuid(): string | undefined {
    return this.connection.callUuid;
  }

  setSlides(slides: Slides): Promise<void> {
    this.slides = slides;
    return this.connection.setSlides(slides);
  }

  statistics() {
    return this.connection.statistics();
  }

  /** The server lost the media of call `uuid`: negotiate anew without waiting for the symptoms. */
  mediaLost(uuid: string | undefined): void {
    const current = this.connection.callUuid;
    if (uuid === undefined || current === undefined || uuid === current) this.recovery.mediaLost();
  }

  /** The server ended the call `uuid`; calls replaced meanwhile do not matter. */
  endedByServer(uuid: string): void {
    if (uuid === this.connection.callUuid) this.recovery.callGone();
  }

  /** Hang up, then place the call where it goes after `change`; whatever goes wrong is mended as a lost call is. */
  async moved(change: () => void): Promise<void> {
    try {
      await this.connection.hangUp();
    } catch (error) {
      console.info("call already gone", error);
    }
    change();
    // Where a lost call is being placed anew already, that goes on, and to the right place now.
    if (this.ended || this.recovery.busy) return;
    try {
      await this.rebuild();
      this.recovery.watch();
    } catch (error) {
      if (this.ended) return;
      console.warn("call not answered", error);
      this.recovery.callGone();
    }
  }

  /** Ended locally and at the server. */
  async close(): Promise<void> {
    this.ended = true;
    this.recovery.stop();
    await this.connection.hangUp();
  }

  /** Ended locally only, when the server has ended it already. */
  drop(): void {
    this.ended = true;
    this.recovery.stop();
    this.connection.close();
  }

  private async rebuild(): Promise<void> {
    this.connection.close();
    this.stream = new MediaStream();
    this.connection = this.connect();
    await this.connection.negotiate();
    this.events.onReplaced();
  }

  private connect(): MediaConnection {
    const watching = this.slides.receive && !this.slides.send;
    return new MediaConnection(this.settings, this.signalling, this.tracks, watching, {
      onSlides: (track) => this.events.onSlides(track),
      onTrack: (track) => {
        this.stream = new MediaStream([...this.stream.getTracks(), track]);
        this.events.onStream(this.stream);
      },
      onIceState: (state) => {
        if (state === "connected" || state === "completed") this.events.onConnected();
        this.recovery.iceState(state);
      },
    });
  }
}
