/** Getting back into a conference whose node is lost: which node to try when, and the loop that tries. */

export interface Attempt {
  node: string;
  /** Milliseconds to wait before it. */
  wait: number;
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 6_000;
/** People of one node would otherwise all come to the next at the same moment. */
const SPREAD = 200;

/**
 * Rounds over all nodes, without end, with growing pauses between them. Where the own node has just proved silent the
 * first round begins with the others; every later one begins with the own, because going on there changes least.
 * `tried`: rounds that count as done already, when what came of the last ones did not last.
 */
export function* itinerary(
  own: string,
  others: readonly string[],
  ownFirst: boolean,
  tried: number,
  random: () => number,
): Generator<Attempt, never> {
  for (let round = tried; ; round += 1) {
    const pause = round === 0 ? SPREAD * random() : backOff(round, random);
    const order = round > tried || ownFirst ? [own, ...others] : [...others, own];
    for (const [index, node] of order.entries()) yield { node, wait: index === 0 ? pause : 0 };
  }
}

function backOff(round: number, random: () => number): number {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (round - 1)) * (0.5 + random());
}

/** `done`: we are in again, or it is settled otherwise. `next`: not with this node, not now. */
export type Outcome = "done" | "next";
export type End = "done" | "cancelled" | "givenUp";

export interface RejoinOptions {
  attempts: Iterator<Attempt, never>;
  /** Must end soon once the signal is given; must not throw. */
  attempt: (node: string, signal: AbortSignal) => Promise<Outcome>;
  /** Milliseconds after which no further attempt begins. */
  window: number;
}

/** One try at getting back; `run` once. */
export class Rejoin {
  private readonly abort = new AbortController();
  private readonly options: RejoinOptions;
  private wake: () => void = () => undefined;

  constructor(options: RejoinOptions) {
    this.options = options;
  }

  async run(): Promise<End> {
    const deadline = Date.now() + this.options.window;
    const { signal } = this.abort;
    while (!signal.aborted) {
      const { node, wait } = this.options.attempts.next().value;
      if (Date.now() + wait > deadline) return "givenUp";
      if (wait > 0) await this.pause(wait);
      if (signal.aborted) break;
      const outcome = await this.options.attempt(node, signal);
      if (outcome === "done" && !signal.aborted) return "done";
    }
    return "cancelled";
  }

  /** The network is back: do not wait for the next attempt. */
  hurry(): void {
    this.wake();
  }

  cancel(): void {
    this.abort.abort();
    this.wake();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
