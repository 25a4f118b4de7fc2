/** Figures of the call, out of what the browser counts. Pure. */

export type Medium = "audio" | "video" | "slides";

export interface Figures {
  /** `in:audio`, `out:video` …: the same from sample to sample. */
  id: string;
  medium: Medium;
  direction: "in" | "out";
  codec: string;
  /** `1280×720`, or empty for sound. */
  resolution: string;
  /** Pictures a second; undefined for sound. */
  rate: number | undefined;
  /** kbit/s since the sample before. */
  bitrate: number;
  /** Per cent of packets lost since the sample before. */
  loss: number;
  /** Milliseconds. */
  jitter: number | undefined;
  rtt: number | undefined;
}

/** Totals that the next sample is compared with. */
interface Totals {
  bytes: number;
  packets: number;
  lost: number;
  at: number;
}

export interface Sample {
  figures: Figures[];
  totals: ReadonlyMap<string, Totals>;
}

export type Report = Iterable<[string, Record<string, unknown>]>;

const NOTHING: Totals = { bytes: 0, packets: 0, lost: 0, at: 0 };

const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** `slides`: the media section presentations are in. */
export function sample(report: Report, slides: string | null, before: Sample | undefined): Sample {
  const byId = new Map(report);
  const totals = new Map<string, Totals>();
  const figures: Figures[] = [];
  const pairRtt = roundTrip(byId);
  for (const stats of byId.values()) {
    const direction = stats.type === "inbound-rtp" ? "in" : stats.type === "outbound-rtp" ? "out" : undefined;
    if (!direction) continue;
    const medium: Medium = stats.kind === "audio" ? "audio" : stats.mid === slides ? "slides" : "video";
    const id = `${direction}:${medium}`;
    const remote = direction === "out" ? byId.get(String(stats.remoteId)) : undefined;
    const now = totalsOf(stats, remote);
    const last = before?.totals.get(id) ?? NOTHING;
    totals.set(id, now);
    if (now.packets === 0) continue;
    const rtt = number(remote?.roundTripTime) ?? pairRtt;
    const jitter = number(stats.jitter) ?? number(remote?.jitter);
    figures.push({
      id,
      medium,
      direction,
      codec: codecOf(byId.get(String(stats.codecId))),
      resolution: resolutionOf(stats),
      rate: medium === "audio" ? undefined : (number(stats.framesPerSecond) ?? 0),
      bitrate: rateOf(now, last),
      loss: lossOf(now, last),
      jitter: jitter === undefined ? undefined : jitter * 1000,
      rtt: rtt === undefined ? undefined : rtt * 1000,
    });
  }
  figures.sort((a, b) => ORDER.indexOf(a.id) - ORDER.indexOf(b.id));
  return { figures, totals };
}

const ORDER = ["in:video", "in:audio", "in:slides", "out:video", "out:audio", "out:slides"];

function totalsOf(stats: Record<string, unknown>, remote: Record<string, unknown> | undefined): Totals {
  return {
    bytes: number(stats.bytesReceived) ?? number(stats.bytesSent) ?? 0,
    packets: number(stats.packetsReceived) ?? number(stats.packetsSent) ?? 0,
    lost: number(stats.packetsLost) ?? number(remote?.packetsLost) ?? 0,
    at: number(stats.timestamp) ?? 0,
  };
}

function rateOf(now: Totals, last: Totals): number {
  const elapsed = now.at - last.at;
  if (last.at === 0 || elapsed <= 0 || now.bytes < last.bytes) return 0;
  return ((now.bytes - last.bytes) * 8) / elapsed;
}

function lossOf(now: Totals, last: Totals): number {
  const lost = Math.max(0, now.lost - last.lost);
  const arrived = Math.max(0, now.packets - last.packets);
  return lost + arrived === 0 ? 0 : (100 * lost) / (lost + arrived);
}

function codecOf(codec: Record<string, unknown> | undefined): string {
  return String(codec?.mimeType ?? "").replace(/^\w+\//, "");
}

function resolutionOf(stats: Record<string, unknown>): string {
  const [width, height] = [number(stats.frameWidth), number(stats.frameHeight)];
  return width && height ? `${width}×${height}` : "";
}

function roundTrip(byId: ReadonlyMap<string, Record<string, unknown>>): number | undefined {
  for (const stats of byId.values()) {
    if (stats.type === "candidate-pair" && stats.nominated === true)
      return number(stats.currentRoundTripTime);
  }
  return undefined;
}

/** How it went over the last minutes, for plots: values by stream id, oldest first. */
export type History = ReadonlyMap<string, readonly Figures[]>;

export function remembered(history: History, figures: readonly Figures[], most: number): History {
  const next = new Map<string, readonly Figures[]>();
  for (const one of figures) next.set(one.id, [...(history.get(one.id) ?? []), one].slice(-most));
  return next;
}
