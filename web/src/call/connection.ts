/** One RTCPeerConnection and its negotiation with the server. Replaced as a whole when it cannot be revived. */

import type { CallType } from "../api/types";
import type { Received } from "./recovery";
import { askFullHd, chooseVideoCodecs, limitVideo, markContent } from "./sdp";
import type { Signalling } from "./signalling";

export interface ConnectionSettings {
  mediaType: CallType;
  iceServers: RTCIceServer[];
  relayOnly: boolean;
  trickle: boolean;
  vp9: boolean;
  /** Main video up to 1080p, sent and received; presentations always may be. */
  fullHd: boolean;
  /** Most to receive and to send per video, kbit/s; the user's choice. */
  limit?: number | undefined;
}

export interface Tracks {
  microphone: MediaStreamTrack | undefined;
  camera: MediaStreamTrack | undefined;
}

/** The second video: what is presented, in one direction at a time. */
export interface Slides {
  send: MediaStreamTrack | undefined;
  receive: boolean;
}

export interface ConnectionEvents {
  onTrack(track: MediaStreamTrack): void;
  onSlides(track: MediaStreamTrack): void;
  onIceState(state: RTCIceConnectionState): void;
}

/** Most main video to receive, kbit/s: ample for 1080p30. */
const RECEIVE_LIMIT = 4_000;
/** Without trickle the offer waits this long for candidates. */
const GATHERING_LIMIT = 2_000;

export class MediaConnection {
  private readonly pc: RTCPeerConnection;
  private readonly audio: RTCRtpTransceiver | undefined;
  private readonly video: RTCRtpTransceiver | undefined;
  private readonly slides: RTCRtpTransceiver | undefined;
  private watching: boolean;
  private readonly abort = new AbortController();
  private call: string | undefined;
  private waiting: (RTCIceCandidate | null)[] = [];
  private chain: Promise<unknown> = Promise.resolve();
  private readonly settings: ConnectionSettings;
  private readonly signalling: Signalling;

  constructor(
    settings: ConnectionSettings,
    signalling: Signalling,
    tracks: Tracks,
    receiveSlides: boolean,
    events: ConnectionEvents,
  ) {
    this.settings = settings;
    this.signalling = signalling;
    this.watching = receiveSlides;
    this.pc = new RTCPeerConnection({
      bundlePolicy: "max-bundle",
      iceServers: settings.iceServers,
      iceTransportPolicy: settings.relayOnly ? "relay" : "all",
    });
    this.pc.ontrack = (event) => {
      if (event.transceiver === this.audio || event.transceiver === this.video) events.onTrack(event.track);
      if (event.transceiver === this.slides) events.onSlides(event.track);
    };
    this.pc.oniceconnectionstatechange = () => events.onIceState(this.pc.iceConnectionState);
    this.pc.onicecandidate = (event) => this.found(event.candidate);
    if (settings.mediaType !== "video-only") {
      this.audio = this.add("audio", tracks.microphone);
    }
    if (settings.mediaType !== "audio") {
      this.video = this.add("video", tracks.camera);
      this.slides = this.pc.addTransceiver("video", { direction: receiveSlides ? "recvonly" : "inactive" });
      for (const transceiver of [this.video, this.slides]) this.preferCodecs(transceiver);
    }
  }

  get callUuid(): string | undefined {
    return this.call;
  }

  get connected(): boolean {
    return ["connected", "completed"].includes(this.pc.iceConnectionState);
  }

  /** Offer, answer and, the first time, `ack`. Calls are carried out one after the other. */
  negotiate(iceRestart = false): Promise<void> {
    const run = this.chain.then(() => this.exchangeOffer(iceRestart));
    this.chain = run.catch(() => undefined);
    return run;
  }

  /** Offer what has changed. A call that is just being placed was offered without it and is negotiated again afterwards. */
  private async renegotiate(): Promise<void> {
    await this.chain;
    if (this.call !== undefined) await this.negotiate();
  }

  /** Change what is sent; a section that starts or stops being sent at all is negotiated again. */
  async setTracks(tracks: Tracks): Promise<void> {
    const changed = [await replace(this.audio, tracks.microphone), await replace(this.video, tracks.camera)];
    if (changed.includes(true)) await this.renegotiate();
  }

  /** Present, watch a presentation, or neither. */
  async setSlides({ send, receive }: Slides): Promise<void> {
    const { slides } = this;
    if (!slides) return;
    await slides.sender.replaceTrack(send ?? null);
    // Once open to receive it stays so: the server sends only while somebody presents, and Chromium shows nothing of a
    // stream that comes back under the same name after its section was inactive.
    this.watching ||= receive;
    const idle = this.watching ? "recvonly" : "inactive";
    const direction = !send ? idle : this.watching ? "sendrecv" : "sendonly";
    if (slides.direction === direction) return;
    slides.direction = direction;
    await this.renegotiate();
    if (send) await preferSharpness(slides.sender, send.contentHint !== "motion");
  }

  /** Everything the browser counts, with the sections the three media are in. */
  async statistics(): Promise<{ report: RTCStatsReport; slides: string | null }> {
    return { report: await this.pc.getStats(), slides: this.slides?.mid ?? null };
  }

  /** Main video received so far; undefined when the call has no video to receive. */
  async received(): Promise<Received | undefined> {
    const direction = this.video?.currentDirection;
    if (!this.video || (direction !== "sendrecv" && direction !== "recvonly")) return undefined;
    const stats = await this.pc.getStats(this.video.receiver.track);
    const received = { packets: 0, frames: 0 };
    stats.forEach((report: { type: string; packetsReceived?: number; framesDecoded?: number }) => {
      if (report.type !== "inbound-rtp") return;
      received.packets += report.packetsReceived ?? 0;
      received.frames += report.framesDecoded ?? 0;
    });
    return received;
  }

  /** Close locally; the server learns of it by `hangUp`, by a replacing call or by the token's end. */
  close(): void {
    this.abort.abort();
    this.pc.ontrack = null;
    this.pc.oniceconnectionstatechange = null;
    this.pc.onicecandidate = null;
    this.pc.close();
  }

  async hangUp(): Promise<void> {
    const call = this.call;
    this.close();
    if (call !== undefined) await this.signalling.disconnect(call);
  }

  private add(kind: "audio" | "video", track: MediaStreamTrack | undefined): RTCRtpTransceiver {
    const direction = track ? "sendrecv" : "recvonly";
    return this.pc.addTransceiver(track ?? kind, { direction });
  }

  private preferCodecs(transceiver: RTCRtpTransceiver): void {
    const available = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
    const chosen = chooseVideoCodecs(available, this.settings.vp9);
    if (chosen.length === 0 || !("setCodecPreferences" in transceiver)) return; // Older browsers keep their order.
    transceiver.setCodecPreferences(chosen);
  }

  private async exchangeOffer(iceRestart: boolean): Promise<void> {
    const signal = this.abort.signal;
    signal.throwIfAborted();
    if (this.pc.signalingState === "have-local-offer")
      await this.pc.setLocalDescription({ type: "rollback" });
    const offer = await this.pc.createOffer({ iceRestart });
    await this.pc.setLocalDescription(offer);
    if (!this.settings.trickle) await this.gathered();
    const local = this.pc.localDescription?.sdp ?? offer.sdp ?? "";
    const asked = askFullHd(markContent(local), this.settings.fullHd ? ["main", "slides"] : ["slides"]);
    const sdp = limitVideo(asked, this.settings.limit ?? RECEIVE_LIMIT);
    if (this.call === undefined) {
      const answer = await this.signalling.place(sdp, this.settings.mediaType, signal);
      this.call = answer.call;
      await this.pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      for (const candidate of this.waiting.splice(0)) this.send(candidate);
      if (this.settings.limit && this.video) await limitSending(this.video.sender, this.settings.limit);
      await this.signalling.ack(answer.call, signal);
    } else {
      const answer = await this.signalling.update(this.call, sdp, signal);
      await this.pc.setRemoteDescription({ type: "answer", sdp: answer });
    }
  }

  private found(candidate: RTCIceCandidate | null): void {
    if (!this.settings.trickle) return;
    if (this.call === undefined) this.waiting.push(candidate);
    else this.send(candidate);
  }

  private send(candidate: RTCIceCandidate | null): void {
    if (this.call === undefined) return;
    // A lost candidate is no reason to fail: the server also learns addresses from connectivity checks.
    this.signalling.candidate(this.call, candidate, this.abort.signal).catch((error: unknown) => {
      if (!this.abort.signal.aborted) console.warn("candidate not delivered", error);
    });
  }

  private async gathered(): Promise<void> {
    if (this.pc.iceGatheringState === "complete") return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GATHERING_LIMIT);
      this.pc.addEventListener("icegatheringstatechange", () => {
        if (this.pc.iceGatheringState !== "complete") return;
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Put the track in place; true when the direction changed and must be negotiated. */
async function replace(
  transceiver: RTCRtpTransceiver | undefined,
  track: MediaStreamTrack | undefined,
): Promise<boolean> {
  if (!transceiver) return false;
  await transceiver.sender.replaceTrack(track ?? null);
  if (!track || transceiver.direction === "sendrecv") return false;
  transceiver.direction = "sendrecv";
  return true;
}

/** Text must stay readable: rather fewer pictures than smaller ones. */
async function preferSharpness(sender: RTCRtpSender, sharp: boolean): Promise<void> {
  const parameters = sender.getParameters() as RTCRtpSendParameters & { degradationPreference?: string };
  parameters.degradationPreference = sharp ? "maintain-resolution" : "maintain-framerate";
  await adjust(sender, parameters);
}

async function limitSending(sender: RTCRtpSender, kbps: number): Promise<void> {
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) encoding.maxBitrate = kbps * 1000;
  await adjust(sender, parameters);
}

async function adjust(sender: RTCRtpSender, parameters: RTCRtpSendParameters): Promise<void> {
  try {
    await sender.setParameters(parameters);
  } catch (error) {
    console.info("the browser does not take these parameters of sending", error);
  }
}
