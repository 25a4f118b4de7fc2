/** One visit to a conference: joining, media, events, leaving. The screen reads `store` and calls the methods. */

import { type JoinRequest, requestToken } from "../api/admission";
import { ConferenceApi } from "../api/conference";
import { EventStream } from "../api/events";
import { ApiError } from "../api/http";
import { TokenKeeper } from "../api/keeper";
import type { Admission, StreamEvent, TokenAnswer } from "../api/types";
import { Call } from "../call/call";
import { signallingOver } from "../call/signalling";
import type { LocalMedia } from "../devices/local";
import { type Action, initialMeeting, type MeetingState, reduceMeeting } from "../state/meeting";
import { createStore, type Store } from "../state/store";
import { settingsFor } from "./settings";

export class Meeting {
  readonly store: Store<MeetingState, Action> = createStore(reduceMeeting, initialMeeting);
  readonly media: LocalMedia;
  private request: JoinRequest;
  private api: ConferenceApi | undefined;
  private keeper: TokenKeeper | undefined;
  private stream: EventStream | undefined;
  private call: Call | undefined;
  private remote: MediaStream | undefined;
  private remoteListener: (stream: MediaStream | undefined) => void = () => undefined;
  private readonly unsubscribeMedia: () => void;

  constructor(request: JoinRequest, media: LocalMedia) {
    this.request = request;
    this.media = media;
    this.store.dispatch({ type: "microphone", muted: media.state.micMuted || !media.microphone });
    this.store.dispatch({ type: "camera", off: !media.camera });
    this.unsubscribeMedia = media.subscribe(() => this.mediaChanged());
    window.addEventListener("pagehide", this.pageHidden);
    window.addEventListener("online", this.networkBack);
  }

  get alias(): string {
    return this.request.alias;
  }

  /** Called with the stream to show, now and whenever it changes. */
  onRemoteStream(listener: (stream: MediaStream | undefined) => void): void {
    this.remoteListener = listener;
    listener(this.remote);
  }

  // Joining

  async join(): Promise<void> {
    this.store.dispatch({ type: "phase", phase: { kind: "joining" } });
    let answer: TokenAnswer;
    try {
      answer = await requestToken(this.request);
    } catch (error) {
      console.warn("request_token failed", error);
      this.store.dispatch({ type: "phase", phase: { kind: "failed", reason: "network" } });
      return;
    }
    await this.answered(answer);
  }

  submitPin(pin: string): Promise<void> {
    this.request = { ...this.request, pin: pin === "" ? "none" : pin };
    return this.join();
  }

  submitExtension(extension: string): Promise<void> {
    this.request = { ...this.request, extension };
    return this.join();
  }

  private challenge: { guestPinRequired: boolean } | undefined;

  private async answered(answer: TokenAnswer): Promise<void> {
    switch (answer.kind) {
      case "admitted":
        await this.admitted(answer.admission);
        return;
      case "pin":
        this.challenge = { guestPinRequired: answer.guestPinRequired };
        this.askPin(false);
        return;
      case "extension":
        this.ask({ kind: "extension", wrong: false });
        return;
      case "refused":
        this.refused(answer.status, answer.reason);
    }
  }

  private refused(status: number, reason: string): void {
    if (reason === "Invalid PIN") {
      this.askPin(this.challenge !== undefined || this.request.pin !== undefined);
    } else if (status === 404 && this.request.extension !== undefined) {
      this.ask({ kind: "extension", wrong: true });
    } else {
      this.ask({ kind: "failed", reason });
    }
  }

  private askPin(wrong: boolean): void {
    this.ask({ kind: "pin", guestPinRequired: this.challenge?.guestPinRequired ?? true, wrong });
  }

  private ask(phase: MeetingState["phase"]): void {
    this.store.dispatch({ type: "phase", phase });
  }

  private async admitted(admission: Admission): Promise<void> {
    const api = new ConferenceApi(this.request.alias, admission.token, admission.participant_uuid);
    this.api = api;
    this.store.dispatch({ type: "admitted", admission });
    this.keeper = new TokenKeeper({
      expires: Number(admission.expires) || 120,
      refresh: async () => {
        const { role } = await api.refresh();
        if (role) this.store.dispatch({ type: "role", role });
      },
      onLost: () => this.finished("Timer expired awaiting token refresh"),
    });
    this.keeper.start();
    this.stream = new EventStream({
      url: () => api.eventsUrl,
      onEvent: (event) => this.received(event),
      onState: (open) => this.streamState(open),
    });
    this.stream.open();
    await this.placeCall(api, admission);
  }

  private async placeCall(api: ConferenceApi, admission: Admission): Promise<void> {
    this.call = new Call(settingsFor(admission), signallingOver(api), this.media.tracks, {
      onStream: (stream) => {
        this.remote = stream;
        this.remoteListener(stream);
      },
      onRecovering: (recovering) => this.store.dispatch({ type: "recovering", recovering }),
      onConnected: () => this.store.dispatch({ type: "media", up: true }),
    });
    await this.call.start();
    this.announceMutes();
  }

  // Events

  private received(event: StreamEvent): void {
    this.store.dispatch({ type: "event", event, now: Date.now() });
    switch (event.name) {
      case "media_lost":
        this.call?.mediaLost(event.data?.call_uuid);
        return;
      case "call_disconnected":
        this.call?.endedByServer(event.data.call_uuid);
        return;
      case "refresh_token":
        void this.keeper?.refreshNow();
        return;
      case "disconnect":
        this.finished(event.data.reason);
        return;
      case "refer":
        void this.transfer(event.data.alias, event.data.token);
    }
  }

  private streamState(open: boolean): void {
    this.store.dispatch({ type: "stream", open });
    // A refused stream looks like a broken one; the refresh tells whether we are still known.
    if (!open && this.store.get().phase.kind === "active") void this.keeper?.refreshNow();
  }

  private networkBack = (): void => {
    void this.keeper?.refreshNow();
    this.stream?.open();
  };

  private async transfer(alias: string, oneTimeToken: string): Promise<void> {
    await this.shutDown("Transfer");
    this.request = { alias, displayName: this.request.displayName, oneTimeToken };
    await this.join();
  }

  // Own media

  private mediaChanged(): void {
    const before = this.store.get();
    const micMuted = this.media.state.micMuted || !this.media.microphone;
    const cameraOff = !this.media.camera;
    if (before.micMuted !== micMuted) this.store.dispatch({ type: "microphone", muted: micMuted });
    if (before.cameraOff !== cameraOff) this.store.dispatch({ type: "camera", off: cameraOff });
    if (!this.call) return;
    this.call
      .setTracks(this.media.tracks)
      .catch((error: unknown) => console.warn("tracks not changed", error));
    if (before.micMuted !== micMuted) this.attempt(this.api?.clientMute(micMuted));
    if (before.cameraOff !== cameraOff) this.attempt(this.api?.videoMute(cameraOff));
  }

  private announceMutes(): void {
    const { micMuted, cameraOff } = this.store.get();
    if (micMuted) this.attempt(this.api?.clientMute(true));
    if (cameraOff) this.attempt(this.api?.videoMute(true));
  }

  /** For requests whose failure changes nothing for the user (older servers do not know them). */
  private attempt(request: Promise<unknown> | undefined): void {
    request?.catch((error: unknown) => console.info("not supported by the server", error));
  }

  // Acting on the conference

  /** Carry out an action; a refusal is shown to the user. */
  async act(action: (api: ConferenceApi) => Promise<unknown>): Promise<void> {
    if (!this.api) return;
    try {
      await action(this.api);
    } catch (error) {
      const reason = error instanceof ApiError ? error.reason : "network";
      this.store.dispatch({ type: "notice", key: "notice.actionFailed", params: { reason } });
    }
  }

  async say(text: string): Promise<void> {
    if (!this.api) return;
    let delivered = false;
    try {
      delivered = await this.api.say(text);
    } catch (error) {
      console.warn("message not sent", error);
    }
    this.store.dispatch({ type: "said", text, now: Date.now(), delivered });
  }

  // Leaving

  async leave(endForAll = false): Promise<void> {
    if (endForAll) await this.act((api) => api.endForAll());
    this.ask({ kind: "ended", reason: endForAll ? "API initiated conference termination" : "", left: true });
    await this.shutDown("User initiated disconnect");
    this.dispose();
  }

  private finished(reason: string): void {
    if (this.store.get().phase.kind === "ended") return;
    this.ask({ kind: "ended", reason, left: false });
    this.call?.drop();
    this.call = undefined;
    void this.shutDown(reason).then(() => this.dispose());
  }

  private async shutDown(reason: string): Promise<void> {
    this.keeper?.stop();
    this.stream?.close();
    const { api, call } = this;
    this.api = undefined;
    this.call = undefined;
    this.remote = undefined;
    this.remoteListener(undefined);
    try {
      await call?.close();
    } catch (error) {
      console.info("call already gone", error);
    }
    try {
      await api?.release(reason);
    } catch (error) {
      console.info("token already gone", error);
    }
  }

  private dispose(): void {
    this.unsubscribeMedia();
    window.removeEventListener("pagehide", this.pageHidden);
    window.removeEventListener("online", this.networkBack);
    this.media.release();
  }

  private pageHidden = (): void => {
    this.api?.releaseByBeacon();
    // A page restored from the back/forward cache has no session any more.
    window.addEventListener("pageshow", (event) => event.persisted && window.location.reload(), {
      once: true,
    });
  };
}
