/** One request to the client API: JSON in, envelope out. */

/** The server answered, but not with success; `reason` is its `result` text (an interface, see reasons.ts). */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string) {
    super(`${status} ${reason}`);
    this.name = "ApiError";
    this.status = status;
    this.reason = reason;
  }
}

export interface Envelope {
  status: number;
  result: unknown;
}

export interface RequestOptions {
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: unknown;
  /** Milliseconds until the request is given up. */
  timeout?: number;
  signal?: AbortSignal;
}

/** How far the server's clock is ahead of ours, in milliseconds; below two seconds is not told from none. */
let ahead = 0;
const NEGLIGIBLE = 2_000;

/** The server's time, as far as its answers say it. */
export const serverNow = (): number => Date.now() + ahead;

export function noteClock(date: string | null, now: number): void {
  const told = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(told)) return; // Answers of other origins do not show it.
  ahead = Math.abs(told - now) < NEGLIGIBLE ? 0 : told - now;
}

/** Send and unwrap, whatever the status. A body that is no envelope gives `result` null. Throws on network errors. */
export async function exchange(url: string, options: RequestOptions = {}): Promise<Envelope> {
  const signals = [AbortSignal.timeout(options.timeout ?? 10_000)];
  if (options.signal) signals.push(options.signal);
  const init: RequestInit = {
    method: options.method ?? "POST",
    headers: { ...options.headers },
    signal: AbortSignal.any(signals),
    cache: "no-store",
  };
  if (options.body !== undefined) {
    init.body = JSON.stringify(options.body);
    init.headers = { ...options.headers, "Content-Type": "application/json" };
  }
  const response = await fetch(url, init);
  noteClock(response.headers.get("date"), Date.now());
  let result: unknown = null;
  try {
    const json: unknown = await response.json();
    if (typeof json === "object" && json !== null && "result" in json) result = json.result;
  } catch {
    // Not JSON (a proxy's error page, or an empty 204): the status alone decides.
  }
  return { status: response.status, result };
}

/** As `exchange`, but anything but 200 is an ApiError. */
export async function demand(url: string, options: RequestOptions = {}): Promise<unknown> {
  const { status, result } = await exchange(url, options);
  if (status !== 200) throw new ApiError(status, typeof result === "string" ? result : `HTTP ${status}`);
  return result;
}
