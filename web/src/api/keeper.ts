/** Keeps the token alive: refreshes at a third of its life, tries again quickly when that fails. */

import { ApiError } from "./http";

export interface KeeperOptions {
  /** Token lifetime in seconds. */
  expires: number;
  refresh: () => Promise<void>;
  /** The server does not know the token any more, or its life ran out while the server was unreachable. */
  onLost: () => void;
}

const RETRY_DELAY = 2_000;

export class TokenKeeper {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private goodUntil = 0;
  private stopped = true;
  private readonly options: KeeperOptions;

  constructor(options: KeeperOptions) {
    this.options = options;
  }

  start(): void {
    this.stopped = false;
    this.renewed();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Refresh now, for example because the role changed or the machine woke up. */
  async refreshNow(): Promise<void> {
    if (this.stopped) return;
    clearTimeout(this.timer);
    try {
      await this.options.refresh();
      if (!this.stopped) this.renewed();
    } catch (error) {
      if (this.stopped) return;
      const refused = error instanceof ApiError && error.status === 403;
      if (refused || Date.now() >= this.goodUntil) {
        this.stop();
        this.options.onLost();
        return;
      }
      this.timer = setTimeout(() => void this.refreshNow(), RETRY_DELAY);
    }
  }

  private renewed(): void {
    const life = this.options.expires * 1000;
    this.goodUntil = Date.now() + life;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refreshNow(), life / 3);
  }
}
