/** One visit to a conference: joining, events, leaving, getting back in. The screen reads `store` and calls the methods. */

import { type JoinRequest, requestToken } from "../api/admission";
import { ApiError } from "../api/http";
import type { Loss } from "../api/keeper";
import { remedyFor } from "../api/reasons";
import type { Admission, EventMap, StreamEvent, TokenAnswer } from "../api/types";
import type { LocalMedia } from "../devices/local";
import { handRaised, type MeetingState, seen } from "../state/meeting";
import { insideOf, wantsHelp } from "../state/rooms";
import { Acting } from "./acting";
import { Moving } from "./moving";
import { Presenting } from "./presenting";
import { itinerary, type Outcome, Rejoin } from "./rejoin";
import { Session } from "./session";
import { fullHdFor } from "./settings";
import { askProvider, signOnAddress } from "./signon";

/** How long to try getting back in; after a longer silence (a machine that slept) nobody expects to be in a meeting. */
const WINDOW = 300_000;
/** A session that did not live this long counts as a failed attempt. */
const STEADY = 20_000;
/** Between attempts to reach a server that did not answer at all. */
const RETRY = 4_000;
/** Waiting for one node's answer while others may be better. */
const ANSWER_LIMIT = 4_000;

export class Meeting extends Acting {
  readonly media: LocalMedia;
  readonly presenting = new Presenting(this.store, () => this.session);
  readonly moving = new Moving(
    this.store,
    this.presenting,
    () => this.session,
    () => this.announceMutes(),
  );
  private request: JoinRequest;
  private readonly home: string;
  private began = 0;
  private flaps = 0;
  private rejoin: Rejoin | undefined;
  private lastReason = "";
  private retry: ReturnType<typeof setTimeout> | undefined;
  private remote: MediaStream | undefined;
  private remoteListener: (stream: MediaStream | undefined) => void = () => undefined;
  private readonly unsubscribeMedia: () => void;

  private readonly limit: number | undefined;

  /** `limit`: most to receive and send, kbit/s; the user's own. */
  constructor(request: JoinRequest, media: LocalMedia, limit?: number) {
    super();
    this.limit = limit;
    this.request = request;
    this.home = request.node;
    this.media = media;
    this.store.dispatch({ type: "microphone", muted: media.state.micMuted || !media.microphone });
    this.store.dispatch({ type: "camera", off: !media.camera });
    this.unsubscribeMedia = media.subscribe(() => this.mediaChanged());
    window.addEventListener("pagehide", this.pageHidden);
    window.addEventListener("online", this.networkBack);
    document.addEventListener("visibilitychange", this.looked);
  }

  get alias(): string {
    return this.request.alias;
  }

  /** Origin of the node in use. */
  get node(): string {
    return this.request.node;
  }

  /** Called with the stream to show, now and whenever it changes. */
  onRemoteStream(listener: (stream: MediaStream | undefined) => void): void {
    this.remoteListener = listener;
    listener(this.remote);
  }

  // Joining

  join(): Promise<void> {
    this.ask({ kind: "joining" });
    return this.requestEntry();
  }

  private async requestEntry(): Promise<void> {
    clearTimeout(this.retry);
    let answer: TokenAnswer;
    try {
      answer = await requestToken(this.request);
    } catch (error) {
      console.warn("request_token failed", error);
      this.ask({ kind: "failed", reason: "network" });
      this.retry = setTimeout(() => void this.requestEntry(), RETRY);
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

  /** The user chose where to sign on. */
  chooseProvider(uuid: string): Promise<void> {
    const { alias, displayName, pin, extension } = this.request;
    const { micMuted, cameraWanted } = this.media.state;
    const visit = { alias, displayName, pin, extension, micMuted, cameraOff: !cameraWanted };
    const ssoTarget = signOnAddress(this.home, visit, uuid);
    this.request = { ...this.request, provider: uuid, ssoToken: undefined, ssoTarget };
    return this.join();
  }

  /** Sign on in a window of its own; to be called for a click, as browsers keep other windows shut. */
  async signOn(): Promise<void> {
    const { phase } = this.store.get();
    if (phase.kind !== "signOn" || phase.waiting) return;
    const asked = askProvider(phase.url);
    if (!asked) return this.ask({ kind: "failed", reason: "popup" });
    this.ask({ ...phase, waiting: true });
    const told = await asked;
    if (this.store.get().phase.kind !== "signOn") return;
    if (told === undefined) return this.ask({ ...phase, waiting: false });
    if (told.token === undefined) return this.ask({ kind: "failed", reason: "SSO Authentication Failed" });
    this.request = { ...this.request, ssoToken: told.token };
    await this.join();
  }

  private challenge: { guestPinRequired: boolean } | undefined;

  private async answered(answer: TokenAnswer): Promise<void> {
    switch (answer.kind) {
      case "admitted":
        await this.admitted(answer.admission);
        return;
      case "pin":
        this.challenge = { guestPinRequired: answer.guestPinRequired };
        if (this.request.role === "guest" && !answer.guestPinRequired) return this.submitPin("");
        this.askPin(false);
        return;
      case "extension":
        this.ask({ kind: "extension", wrong: false });
        return;
      case "providers": {
        const [only, ...more] = answer.providers;
        if (only && more.length === 0) return this.chooseProvider(only.uuid);
        this.ask({ kind: "providers", providers: answer.providers });
        return;
      }
      case "signOn":
        if (answer.redirect) window.location.assign(answer.url);
        else this.ask({ kind: "signOn", provider: answer.provider, url: answer.url, waiting: false });
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
    const known = [...(this.session?.others ?? []), this.home];
    const { alias, node } = this.request;
    this.request = {
      ...this.request,
      oneTimeToken: undefined,
      replaces: undefined,
      ssoToken: admission.sso_token,
    };
    const session = new Session(alias, node, known, admission, this.media.tracks, this.limit, {
      onEvent: (event) => this.received(event),
      onStream: (open) => this.store.dispatch({ type: "stream", open }),
      onDoubt: (doubt) => this.store.dispatch({ type: "link", link: doubt ? "doubted" : "up" }),
      onLost: (loss, silence) => this.lost(loss, silence),
      onRole: (role) => this.store.dispatch({ type: "role", role }),
      onRemote: (stream) => this.show(stream),
      onSlides: (track) => this.presenting.show(track),
      onReplaced: () => void this.presenting.again(),
      onRecovering: (recovering) => this.store.dispatch({ type: "recovering", recovering }),
      onConnected: () => this.store.dispatch({ type: "media", up: true }),
    });
    this.session = session;
    this.began = Date.now();
    const raised = handRaised(seen(this.store.get()));
    this.store.dispatch({ type: "admitted", admission });
    if (raised) this.attempt(session.api.raiseHand(true));
    void this.media.askFullHd(fullHdFor(admission, this.limit));
    await session.start();
    if (this.session !== session) return;
    this.announceMutes();
    await this.presenting.again();
  }

  private show(stream: MediaStream | undefined): void {
    this.remote = stream;
    this.remoteListener(stream);
  }

  // Events

  private received(event: StreamEvent): void {
    this.store.dispatch({ type: "event", event, now: Date.now() });
    this.presented(event);
    this.moving.received(event);
    if (event.name === "disconnect") this.disconnected(event.data.reason, 0);
    if (event.name === "refer") void this.transfer(event.data);
  }

  /** Somebody began or ended presenting where our picture and sound are. */
  private presented(event: StreamEvent): void {
    const room = event.name === "breakout_event" ? event.data.breakout_uuid : undefined;
    if (room !== this.store.get().place) return;
    const { name } = event.name === "breakout_event" ? insideOf(event.data) : event;
    if (name === "presentation_start") this.presenting.replaced();
    if (name === "presentation_start" || name === "presentation_stop") void this.presenting.follow();
  }

  private async transfer(sent: EventMap["refer"]): Promise<void> {
    const { alias, token: oneTimeToken, target, breakout_name: to } = sent;
    await this.shutDown("Transfer");
    const { displayName, node, alias: before } = this.request;
    // Within one conference, what got us in gets us in again; no other is told our PIN.
    const kept = alias.toLowerCase() === before.toLowerCase() ? this.request : { displayName, node };
    this.request = { ...kept, alias, oneTimeToken };
    this.ask({ kind: "joining", to: target === "breakout" ? to : undefined });
    await this.requestEntry();
  }

  // Getting back in

  private lost(loss: Loss, silence: number): void {
    if (loss.kind === "refused") this.disconnected(loss.reason, silence);
    else if (silence > WINDOW) this.finished("Timer expired awaiting token refresh");
    else void this.getBack(true, false);
  }

  private disconnected(reason: string, silence: number): void {
    const remedy = remedyFor(reason);
    if (remedy === "none" || silence > WINDOW) this.finished(reason);
    else void this.getBack(false, remedy === "stay");
  }

  /** `resumable`: the node may still know the session, once it can be reached again. */
  private async getBack(resumable: boolean, ownFirst: boolean): Promise<void> {
    const { session } = this;
    if (!session || this.rejoin) return;
    if (!resumable) session.drop();
    this.flaps = Date.now() - this.began < STEADY ? this.flaps + 1 : 0;
    this.lastReason = "Signaling node disconnected";
    this.store.dispatch({ type: "link", link: "rejoining" });
    const attempts = itinerary(session.node, session.others, ownFirst, this.flaps, Math.random);
    let known = resumable;
    const rejoin = new Rejoin({
      attempts,
      window: WINDOW,
      attempt: async (node, signal) => {
        if (known && node === session.node) {
          const outcome = await this.resume(session);
          if (outcome !== "forgotten") return outcome;
          known = false;
        }
        return this.enter(session, node, signal);
      },
    });
    this.rejoin = rejoin;
    const end = await rejoin.run();
    this.rejoin = undefined;
    if (end === "givenUp") this.finished(this.lastReason);
  }

  private async resume(session: Session): Promise<Outcome | "forgotten"> {
    try {
      await session.resume();
      this.store.dispatch({ type: "link", link: "up" });
      return "done";
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) return "next";
      if (remedyFor(error.reason) !== "none") return "forgotten";
      this.finished(error.reason);
      return "done";
    }
  }

  /** Join anew at `node`, in place of `session`. */
  private async enter(session: Session, node: string, signal: AbortSignal): Promise<Outcome> {
    const request = { ...this.request, node, replaces: session.api.token };
    let answer: TokenAnswer;
    try {
      answer = await requestToken(request, { timeout: ANSWER_LIMIT, signal });
    } catch (error) {
      console.info("no way back into the meeting there", node, error);
      if (node !== session.node) this.store.dispatch({ type: "unreachable", node });
      return "next";
    }
    if (signal.aborted) return "done";
    if (answer.kind === "refused" && answer.reason !== "Invalid PIN") {
      console.info("refused", node, answer.reason);
      this.lastReason = answer.reason;
      return "next";
    }
    session.drop();
    this.request = request;
    // Not awaited: its call may take its time, and may be lost again meanwhile.
    void this.answered(answer);
    return "done";
  }

  /** Who comes back to the page may come back to the machine: it may have slept. */
  private looked = (): void => {
    if (document.visibilityState === "visible") this.networkBack();
  };

  private networkBack = (): void => {
    if (this.rejoin) this.rejoin.hurry();
    else this.session?.check();
  };

  /** What the page of another node must know to go on there, where this page may not speak to that node. */
  handOver(): JoinRequest & { micMuted: boolean; cameraOff: boolean } {
    const { micMuted, cameraOff } = this.store.get();
    return { ...this.request, replaces: this.session?.api.token, micMuted, cameraOff };
  }

  // Own media

  private mediaChanged(): void {
    const before = this.store.get();
    const micMuted = this.media.state.micMuted || !this.media.microphone;
    const cameraOff = !this.media.camera;
    if (before.micMuted !== micMuted) this.store.dispatch({ type: "microphone", muted: micMuted });
    if (before.cameraOff !== cameraOff) this.store.dispatch({ type: "camera", off: cameraOff });
    if (!this.session) return;
    this.session
      .setTracks(this.media.tracks)
      .catch((error: unknown) => console.warn("tracks not changed", error));
    const { api } = this.session;
    if (before.micMuted !== micMuted) this.attempt(api.clientMute(micMuted));
    if (before.cameraOff !== cameraOff) this.attempt(api.videoMute(cameraOff));
  }

  private announceMutes(): void {
    const { micMuted, cameraOff } = this.store.get();
    if (micMuted) this.attempt(this.session?.api.clientMute(true));
    if (cameraOff) this.attempt(this.session?.api.videoMute(true));
  }

  /** For requests whose failure changes nothing for the user (older servers do not know them). */
  private attempt(request: Promise<unknown> | undefined): void {
    request?.catch((error: unknown) => console.info("not supported by the server", error));
  }

  /** Take a Host's picture and sound to a breakout room, or back; who asked for help there has it then. */
  async goTo(room: string | undefined): Promise<void> {
    await this.moving.to(room);
    const { rooms, place } = this.store.get();
    const there = place === undefined ? undefined : rooms.get(place);
    if (there && wantsHelp(there.flags)) await this.act((api) => api.helpGiven(there.uuid));
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
    this.session?.drop();
    void this.shutDown(reason).then(() => this.dispose());
  }

  private async shutDown(reason: string): Promise<void> {
    this.rejoin?.cancel();
    this.presenting.letGo();
    this.presenting.show(undefined);
    const { session } = this;
    this.session = undefined;
    this.show(undefined);
    await session?.end(reason);
  }

  private dispose(): void {
    clearTimeout(this.retry);
    document.removeEventListener("visibilitychange", this.looked);
    this.unsubscribeMedia();
    window.removeEventListener("pagehide", this.pageHidden);
    window.removeEventListener("online", this.networkBack);
    this.media.release();
  }

  private pageHidden = (): void => {
    this.session?.api.releaseByBeacon();
    // A page restored from the back/forward cache has no session any more.
    window.addEventListener("pageshow", (event) => event.persisted && window.location.reload(), {
      once: true,
    });
  };
}
