/** Being reachable: registers an alias at the node, keeps it, and knows of the calls that ring. */

import type { Source } from "../api/events";
import { exchange } from "../api/http";
import { createStore, type Store } from "../state/store";

export interface Credentials {
  alias: string;
  username: string;
  password: string;
}

/** A call that rings here. */
export interface Incoming {
  token: string;
  conference_alias: string;
  remote_display_name: string;
  remote_alias: string;
  local_alias: string;
  service_type: string;
}

/** `lost`: it was registered and tries to be so again. `refused`: alias or password are wrong. `off`: not wanted. */
export type Phase = "off" | "registering" | "registered" | "lost" | "refused" | "disabled";

export interface RegistrationState {
  phase: Phase;
  alias: string;
  calls: readonly Incoming[];
}

type Change =
  | { type: "phase"; phase: Phase }
  | { type: "alias"; alias: string }
  | { type: "incoming"; call: Incoming }
  | { type: "over"; token: string }
  | { type: "silence" };

const REFRESH = 60_000;
const MOST_WAIT = 30_000;

export function reduce(state: RegistrationState, change: Change): RegistrationState {
  switch (change.type) {
    case "phase":
      return state.phase === change.phase ? state : { ...state, phase: change.phase };
    case "alias":
      return { ...state, alias: change.alias };
    case "incoming": {
      const others = state.calls.filter((call) => call.token !== change.call.token);
      return { ...state, calls: [...others, change.call] };
    }
    case "over":
      return { ...state, calls: state.calls.filter((call) => call.token !== change.token) };
    case "silence":
      return state.calls.length ? { ...state, calls: [] } : state;
  }
}

/** `Authorization` as the node reads it: user and password in base64 of their UTF-8. */
export function authorization(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `x-pexip-basic ${btoa(String.fromCharCode(...bytes))}`;
}

export interface Surroundings {
  node: string;
  open(url: string): Source;
}

export class Registration {
  readonly store: Store<RegistrationState, Change> = createStore(reduce, {
    phase: "off",
    alias: "",
    calls: [],
  });
  private readonly around: Surroundings;
  private wanted: Credentials | undefined;
  private token = "";
  private source: Source | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;

  constructor(around: Surroundings) {
    this.around = around;
  }

  get current(): string {
    return this.token;
  }

  /** Register, now and again whenever it is lost, until `stop`. */
  async start(credentials: Credentials): Promise<Phase> {
    await this.stop();
    this.wanted = credentials;
    this.store.dispatch({ type: "alias", alias: credentials.alias });
    this.store.dispatch({ type: "phase", phase: "registering" });
    await this.register();
    return this.store.get().phase;
  }

  async stop(): Promise<void> {
    const { token, wanted } = this;
    this.wanted = undefined;
    this.drop();
    this.store.dispatch({ type: "phase", phase: "off" });
    if (wanted && token) await this.attempt(wanted.alias, "release_token", token);
  }

  /** The page goes: say so while there is time. */
  release(): void {
    if (this.wanted && this.token)
      navigator.sendBeacon(`${this.url(this.wanted.alias)}/release_token?token=${this.token}`);
  }

  /** The call is taken or not wanted any more; it rings here no longer. */
  silence(call: Incoming): void {
    this.store.dispatch({ type: "over", token: call.token });
  }

  async reject(call: Incoming): Promise<void> {
    this.silence(call);
    const path = `conferences/${encodeURIComponent(call.conference_alias)}/release_token`;
    try {
      await exchange(`${this.around.node}/api/client/v2/${path}?token=${call.token}`);
    } catch (error) {
      console.info("the call could not be rejected", error);
    }
  }

  // Inside

  private url(alias: string): string {
    return `${this.around.node}/api/client/v2/registrations/${encodeURIComponent(alias)}`;
  }

  private async register(): Promise<void> {
    const { wanted } = this;
    if (!wanted) return;
    const headers: Record<string, string> =
      wanted.username || wanted.password
        ? { "X-Pexip-Authorization": authorization(wanted.username, wanted.password) }
        : {};
    try {
      const { status, result } = await exchange(`${this.url(wanted.alias)}/request_token`, { headers });
      if (this.wanted !== wanted) return;
      if (status === 200 && typeof result === "object" && result !== null && "token" in result) {
        this.registered(String(result.token));
      } else if (status === 401 || status === 404) {
        this.ended("refused");
      } else if (status === 403) {
        this.ended("disabled");
      } else {
        this.later();
      }
    } catch (error) {
      console.info("registering failed", error);
      if (this.wanted === wanted) this.later();
    }
  }

  private registered(token: string): void {
    this.token = token;
    this.failures = 0;
    this.store.dispatch({ type: "phase", phase: "registered" });
    this.watch();
    this.again(REFRESH, () => void this.refresh());
  }

  private async refresh(): Promise<void> {
    const { wanted, token } = this;
    if (!wanted) return;
    const answer = await this.attempt(wanted.alias, "refresh_token", token);
    if (this.wanted !== wanted) return;
    if (
      answer?.status === 200 &&
      typeof answer.result === "object" &&
      answer.result &&
      "token" in answer.result
    ) {
      this.token = String(answer.result.token);
      this.failures = 0;
      this.store.dispatch({ type: "phase", phase: "registered" });
      if (!this.source) this.watch();
      this.again(REFRESH, () => void this.refresh());
    } else {
      this.later(answer !== undefined);
    }
  }

  /** Try again, each time a little later. `anew`: the node does not know us any more. */
  private later(anew = true): void {
    this.drop(!anew);
    this.store.dispatch({ type: "phase", phase: "lost" });
    const wait = Math.min(1_000 * 2 ** this.failures, MOST_WAIT) * (0.8 + Math.random() * 0.4);
    this.failures += 1;
    this.again(wait, () => void (anew ? this.register() : this.refresh()));
  }

  private ended(phase: Phase): void {
    this.wanted = undefined;
    this.drop();
    this.store.dispatch({ type: "phase", phase });
  }

  private watch(): void {
    const { wanted } = this;
    if (!wanted) return;
    this.source?.close();
    const source = this.around.open(`${this.url(wanted.alias)}/events?token=${this.token}`);
    this.source = source;
    // What rings is told anew to every stream, so what it does not tell rings no more.
    source.addEventListener("hello", () => this.store.dispatch({ type: "silence" }));
    source.addEventListener("incoming", (event) => {
      this.store.dispatch({ type: "incoming", call: JSON.parse(event.data) as Incoming });
    });
    source.addEventListener("incoming_cancelled", (event) => {
      const { token } = JSON.parse(event.data) as { token: string };
      this.store.dispatch({ type: "over", token });
    });
    source.onerror = () => {
      if (this.source !== source) return;
      source.close();
      this.source = undefined;
      this.again(1_000, () => void this.refresh());
    };
  }

  /** Nothing is open or due any more. `keep`: the token may still be good. */
  private drop(keep = false): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
    if (!keep) this.token = "";
    this.store.dispatch({ type: "silence" });
  }

  private again(wait: number, action: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(action, wait);
  }

  private async attempt(alias: string, path: string, token: string) {
    try {
      return await exchange(`${this.url(alias)}/${path}`, { headers: { token } });
    } catch (error) {
      console.info(`${path} of the registration failed`, error);
      return undefined;
    }
  }
}
