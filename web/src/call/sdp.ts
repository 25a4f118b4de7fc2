/** The few changes a browser's SDP needs for this platform's conventions. */

export type Content = "main" | "slides";

/** Split into the session part and one text per media section, each with its line ends. */
function sections(sdp: string): [string, string[]] {
  const parts = sdp.split(/(?=^m=)/m);
  const session = parts.shift() ?? "";
  return [session, parts];
}

/** Mark each section's content (RFC 4796): audio and the first video `main`, the second video `slides`. */
export function markContent(sdp: string): string {
  const [session, media] = sections(sdp);
  let videos = 0;
  const marked = media.map((section) => {
    if (/^a=content:/m.test(section)) return section;
    let content: Content = "main";
    if (section.startsWith("m=video")) {
      videos += 1;
      if (videos > 1) content = "slides";
    } else if (!section.startsWith("m=audio")) {
      return section;
    }
    const end = section.endsWith("\r\n") || section === "" ? "" : "\r\n";
    return `${section}${end}a=content:${content}\r\n`;
  });
  return session + marked.join("");
}

/** Most the client wants to receive per video section: `b=AS` in kbit/s, placed after the connection line. */
export function limitVideo(sdp: string, kbps: number): string {
  const [session, media] = sections(sdp);
  const limited = media.map((section) => {
    if (!section.startsWith("m=video") || /^b=/m.test(section)) return section;
    return section.replace(/^(c=.*\r?\n)/m, `$1b=AS:${kbps}\r\n`);
  });
  return session + limited.join("");
}

/** What decodes 1920x1080 at 30 frames per second, in blocks of 16x16 pixels. */
const BLOCKS = 8160;
const FULL_HD: Record<string, string> = {
  H264: `max-fs=${BLOCKS};max-mbps=${BLOCKS * 30}`,
  VP8: `max-fs=${BLOCKS};max-fr=30`,
  VP9: `max-fs=${BLOCKS};max-fr=30`,
};

/** Ask for pictures up to 1920x1080 in video sections of these contents; browsers state no more than 720p. */
export function askFullHd(sdp: string, contents: readonly Content[]): string {
  const [session, media] = sections(sdp);
  const asked = media.map((section) => {
    const content = /^a=content:(\w+)/m.exec(section)?.[1] ?? "main";
    const meant = section.startsWith("m=video") && contents.some((one) => one === content);
    return meant ? raised(section) : section;
  });
  return session + asked.join("");
}

function raised(section: string): string {
  let found = section;
  for (const [, number, codec] of section.matchAll(/^a=rtpmap:(\d+) (\w+)\//gm)) {
    const more = FULL_HD[codec?.toUpperCase() ?? ""];
    const known = new RegExp(`^a=fmtp:${number} .*max-fs=`, "m");
    if (!more || known.test(section)) continue;
    const parameters = new RegExp(`^(a=fmtp:${number} .*?)(\\r?\\n)`, "m");
    found = parameters.test(found)
      ? found.replace(parameters, `$1;${more}$2`)
      : found.replace(
          new RegExp(`^(a=rtpmap:${number} .*?)(\\r?\\n)`, "m"),
          `$1$2a=fmtp:${number} ${more}$2`,
        );
  }
  return found;
}

export interface CodecChoice {
  mimeType: string;
  sdpFmtpLine?: string;
}

const REPAIR = /\/(rtx|red|ulpfec|flexfec-03)$/i;

function rank(codec: CodecChoice, vp9: boolean): number {
  const name = codec.mimeType.toLowerCase();
  const fmtp = codec.sdpFmtpLine ?? "";
  if (name === "video/h264") {
    // Only (constrained) baseline interworks with room systems; mode 1 lets frames span packets.
    if (!/profile-level-id=42/i.test(fmtp)) return -1;
    return /packetization-mode=1/.test(fmtp) ? 0 : 1;
  }
  if (name === "video/vp8") return 2;
  if (name === "video/vp9") return vp9 ? 3 : -1;
  return REPAIR.test(name) ? 9 : -1;
}

/** Video codecs to offer, best first; repair formats keep their place behind. */
export function chooseVideoCodecs<T extends CodecChoice>(available: readonly T[], vp9: boolean): T[] {
  return available
    .map((codec, index) => ({ codec, index, rank: rank(codec, vp9) }))
    .filter((entry) => entry.rank >= 0)
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map((entry) => entry.codec);
}
