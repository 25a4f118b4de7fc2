/** What the browser remembers between visits: name, recent conferences, chosen devices. */

export interface Remembered {
  name: string;
  recent: string[];
  micId?: string;
  cameraId?: string;
  speakerId?: string;
  micMuted?: boolean;
  cameraWanted?: boolean;
  /** undefined: as the browser, the system, the network have it. */
  language?: string | undefined;
  theme?: "light" | "dark" | undefined;
  /** kbit/s */
  bandwidth?: number | undefined;
  /** The own camera is not shown in the meeting. */
  selfViewOff?: boolean;
  /** Under what the page is reachable for calls. */
  registered?: { alias: string; username: string } | undefined;
  /** Single keys do nothing. */
  keysOff?: boolean;
}

const KEY = "rostra";
const MOST_RECENT = 4;

export function recall(): Remembered {
  const nothing: Remembered = { name: "", recent: [] };
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return typeof stored === "object" && stored !== null ? { ...nothing, ...stored } : nothing;
  } catch {
    return nothing; // Storage is off or holds rubbish: start afresh.
  }
}

export function remember(change: Partial<Remembered>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...recall(), ...change }));
  } catch {
    // Storage is off or full; nothing depends on it.
  }
}

export function rememberVisit(alias: string): void {
  const others = recall().recent.filter((known) => known.toLowerCase() !== alias.toLowerCase());
  remember({ recent: [alias, ...others].slice(0, MOST_RECENT) });
}
