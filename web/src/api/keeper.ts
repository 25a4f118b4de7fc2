/**
 * Keeps the token alive and thereby knows whether the node still knows us: refreshes at a third of the token's life
 * and whenever something else looks broken, and decides quickly that the node is lost.
 */

import { ApiError } from "./http";

/** `silent`: the node does not answer. `refused`: it answers that the token is worth nothing, and why. */
export type Loss = { kind: "silent" } | { kind: "refused"; reason: string };

export interface KeeperOptions {
  /** Token lifetime in seconds. */
  expires: number;
  /** Must fail by itself after so many milliseconds. */
  refresh: (timeout: number) => Promise<void>;
  /** True with the first refresh that fails, false with the next that succeeds. */
  onDoubt: (doubt: boolean) => void;
  /** The keeper has stopped; `start` goes on. `silence`: milliseconds since the node last answered. */
  onLost: (loss: Loss, silence: number) => void;
}

/** From the first doubt until the node counts as lost. */
export const PATIENCE = 2_500;
const RETRY_DELAY = 500;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export class TokenKeeper {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private answered = 0;
  private doubted = false;
  private stopped = true;
  private checking = false;
  private readonly options: KeeperOptions;

  constructor(options: KeeperOptions) {
    this.options = options;
  }

  /** The token was just issued or refreshed. */
  start(): void {
    this.stopped = false;
    this.renewed();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Refresh now, for example because the role changed, the event stream broke or the machine woke up. */
  async check(): Promise<void> {
    if (this.stopped || this.checking) return;
    this.checking = true;
    clearTimeout(this.timer);
    await this.insist();
    this.checking = false;
  }

  private async insist(): Promise<void> {
    const began = Date.now();
    while (!this.stopped) {
      try {
        await this.options.refresh(Math.max(PATIENCE - (Date.now() - began), RETRY_DELAY));
        if (!this.stopped) this.renewed();
        return;
      } catch (error) {
        if (this.stopped) return;
        this.doubt(true);
        if (error instanceof ApiError && error.status === 403) {
          this.lost({ kind: "refused", reason: error.reason });
        } else if (Date.now() - began >= PATIENCE) {
          this.lost({ kind: "silent" });
        } else {
          await sleep(RETRY_DELAY);
        }
      }
    }
  }

  private lost(loss: Loss): void {
    this.stop();
    this.options.onLost(loss, Date.now() - this.answered);
  }

  private doubt(doubt: boolean): void {
    if (doubt === this.doubted) return;
    this.doubted = doubt;
    this.options.onDoubt(doubt);
  }

  private renewed(): void {
    this.answered = Date.now();
    this.doubt(false);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.check(), (this.options.expires * 1000) / 3);
  }
}
