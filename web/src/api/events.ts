/** The event stream: opened anew with the current token whenever it breaks or falls silent. */

import type { EventMap, EventName, StreamEvent } from "./types";

const NAMES: readonly EventName[] = [
  "hello",
  "ping",
  "participant_sync_begin",
  "participant_sync_end",
  "participant_create",
  "participant_update",
  "participant_delete",
  "conference_update",
  "stage",
  "layout",
  "presentation_start",
  "presentation_stop",
  "message_received",
  "call_disconnected",
  "media_lost",
  "disconnect",
  "refer",
  "cancel_refer",
  "on_hold",
  "refresh_token",
  "breakout_begin",
  "breakout_end",
  "breakout_event",
  "breakout_refer",
];

/** The part of EventSource used here, so that tests can supply their own. */
export interface Source {
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

export interface EventStreamOptions {
  /** Address with the token of the moment. */
  url: () => string;
  onEvent: (event: StreamEvent) => void;
  /** True once the stream is open, false when it is lost. */
  onState: (open: boolean) => void;
  /** Nothing was heard for longer than the server ever says nothing: is it still there? */
  onQuiet: () => void;
  open?: (url: string) => Source;
}

const FIRST_DELAY = 100;
const MAX_DELAY = 5_000;
/** The server pings every 10 s; three missed mean a dead connection that no error reports. */
const SILENCE_LIMIT = 32_000;
const QUIET_LIMIT = 12_000;

export class EventStream {
  private source: Source | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private quiet: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private closed = false;
  private readonly options: EventStreamOptions;

  constructor(options: EventStreamOptions) {
    this.options = options;
  }

  open(): void {
    if (this.closed) return;
    this.drop();
    const create = this.options.open ?? ((url: string) => new EventSource(url) as Source);
    const source = create(this.options.url());
    this.source = source;
    source.onopen = () => {
      this.heard();
      this.options.onState(true);
    };
    source.onerror = () => this.lost();
    for (const name of NAMES) source.addEventListener(name, (event) => this.dispatch(name, event.data));
    this.heard();
  }

  close(): void {
    this.closed = true;
    this.drop();
  }

  private drop(): void {
    clearTimeout(this.retry);
    clearTimeout(this.silence);
    clearTimeout(this.quiet);
    if (!this.source) return;
    this.source.onerror = null;
    this.source.onopen = null;
    this.source.close();
    this.source = undefined;
  }

  private heard(): void {
    clearTimeout(this.silence);
    clearTimeout(this.quiet);
    this.silence = setTimeout(() => this.lost(), SILENCE_LIMIT);
    this.quiet = setTimeout(() => this.options.onQuiet(), QUIET_LIMIT);
  }

  private lost(): void {
    if (this.closed) return;
    this.drop();
    this.options.onState(false);
    const delay = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** this.failures);
    this.failures += 1;
    this.retry = setTimeout(() => this.open(), delay * (0.8 + 0.4 * Math.random()));
  }

  private dispatch<K extends EventName>(name: K, text: string): void {
    if (this.closed) return;
    this.failures = 0; // Not when it opens: a stream may open and break at once, again and again.
    this.heard();
    let data: EventMap[K];
    try {
      data = JSON.parse(text) as EventMap[K];
    } catch {
      console.warn("event without valid JSON ignored", name);
      return;
    }
    this.options.onEvent({ name, data } as StreamEvent);
  }
}
