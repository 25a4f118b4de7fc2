/**
 * Decides when media is lost and gets it back: first by an ICE restart of the same connection, then by a new one.
 * Knows nothing of WebRTC, so that it can be tested in virtual time.
 */

export interface Received {
  /** RTP packets: they never pause while the server's media is alive. */
  packets: number;
  /** Decoded frames: what the user sees. */
  frames: number;
}

export interface Patient {
  /** Negotiate the same connection anew with an ICE restart. */
  restart(): Promise<void>;
  /** Give the connection up and place a new call. */
  rebuild(): Promise<void>;
  /** Main video received on the present connection; undefined: nothing to be judged by. */
  received(): Promise<Received | undefined>;
  connected(): boolean;
}

export interface RecoveryTiming {
  /** Interval of the packet check. */
  check: number;
  /** How long ICE may be `disconnected`. */
  disconnected: number;
  /** From one failed attempt to the next. */
  retry: number;
  /** Time in which the same connection must be revived. */
  giveUpRestart: number;
  /** Wait for media after a restart was answered, and after a new call was answered. */
  restartProof: number;
  rebuildProof: number;
}

export const TIMING: RecoveryTiming = {
  check: 1_000,
  disconnected: 2_000,
  retry: 1_000,
  giveUpRestart: 3_000,
  restartProof: 1_500,
  rebuildProof: 5_000,
};

const POLL = 100;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export class Recovery {
  private checker: ReturnType<typeof setInterval> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private last: number | undefined;
  private still = 0;
  private stopped = false;
  private running = false;
  private again = false;
  private readonly patient: Patient;
  private readonly onRecovering: (recovering: boolean) => void;
  private readonly timing: RecoveryTiming;

  constructor(patient: Patient, onRecovering: (recovering: boolean) => void, timing = TIMING) {
    this.patient = patient;
    this.onRecovering = onRecovering;
    this.timing = timing;
  }

  /** Start watching, after the first call was answered. */
  watch(): void {
    clearInterval(this.checker);
    this.checker = setInterval(() => void this.check(), this.timing.check);
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.checker);
    clearTimeout(this.patience);
  }

  iceState(state: RTCIceConnectionState): void {
    clearTimeout(this.patience);
    if (state === "failed") void this.recover();
    if (state === "disconnected")
      this.patience = setTimeout(() => void this.recover(), this.timing.disconnected);
  }

  /** The server says that its media process is gone. */
  mediaLost(): void {
    if (this.running) this.again = true;
    else void this.recover();
  }

  /** Media is being got back at the moment. */
  get busy(): boolean {
    return this.running;
  }

  /** There is no call to revive (never placed, or ended by the server): keep placing new ones. */
  callGone(): void {
    void this.recover(true);
  }

  private async check(): Promise<void> {
    if (this.running || this.stopped) return;
    const packets = (await this.patient.received())?.packets;
    if (packets === undefined || !this.patient.connected()) {
      this.last = undefined;
      this.still = 0;
      return;
    }
    this.still = packets === this.last ? this.still + 1 : 0;
    this.last = packets;
    if (this.still >= 2) void this.recover();
  }

  private async recover(anew = false): Promise<void> {
    if (this.running || this.stopped) return;
    this.running = true;
    const began = Date.now();
    console.info("media lost, recovering");
    this.onRecovering(true);
    do {
      this.again = false;
      await this.episode(anew);
    } while (this.again && !this.stopped);
    this.running = false;
    this.last = undefined;
    this.still = 0;
    if (this.stopped) return;
    console.info(`media back after ${Date.now() - began} ms`);
    this.watch();
    this.onRecovering(false);
  }

  private async episode(anew: boolean): Promise<void> {
    const started = Date.now();
    const left = () => this.timing.giveUpRestart - (Date.now() - started);
    while (!this.stopped && !anew && left() > 0) {
      const attempt = Date.now();
      const answered = await this.within(this.patient.restart(), left());
      if (answered && (await this.proven(Math.min(this.timing.restartProof, Math.max(left(), POLL))))) return;
      if (answered) break; // Answered but dead: asking the same again will not help.
      await sleep(Math.max(0, Math.min(left(), this.timing.retry - (Date.now() - attempt))));
    }
    while (!this.stopped) {
      const attempt = Date.now();
      const answered = await this.within(this.patient.rebuild(), this.timing.rebuildProof);
      if (answered && (await this.proven(this.timing.rebuildProof))) return;
      await sleep(Math.max(0, this.timing.retry - (Date.now() - attempt)));
    }
  }

  /** True when the attempt succeeded in time. */
  private async within(attempt: Promise<void>, limit: number): Promise<boolean> {
    const done = attempt.then(
      () => true,
      (error: unknown) => {
        console.warn("media negotiation failed", error);
        return false;
      },
    );
    return Promise.race([done, sleep(limit).then(() => false)]);
  }

  /** True as soon as a picture arrives, false when it has not after `limit` milliseconds. */
  private async proven(limit: number): Promise<boolean> {
    const deadline = Date.now() + limit;
    const before = (await this.patient.received())?.frames ?? 0;
    while (!this.stopped && Date.now() < deadline) {
      await sleep(POLL);
      if (!this.patient.connected()) continue;
      const received = await this.patient.received();
      if (received === undefined || received.frames > before) return true;
    }
    return false;
  }
}
