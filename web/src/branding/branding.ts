/** The branding package of the platform: colours, pictures, texts and settings in place of our own. */

import type { DialProtocol } from "../api/types";
import { override } from "../i18n";

export interface Branding {
  files: readonly string[];
  applicationName: string | undefined;
  dialOutProtocol: DialProtocol | undefined;
  /** kbit/s */
  bandwidth: number | undefined;
}

const NONE: Branding = {
  files: [],
  applicationName: undefined,
  dialOutProtocol: undefined,
  bandwidth: undefined,
};

const ROOT = "/branding/";
const TEXTS = /^(?:locales|languages)\/([a-z]{2,3})(?:[-_]\w+)?\.json$/i;
const PROTOCOLS: readonly string[] = ["auto", "sip", "h323", "rtmp", "mssip"];

let current = NONE;

export const branding = (): Branding => current;

export type Settings = Readonly<Record<string, string | number | boolean>>;

/**
 * Names and plain values in a `settings.js`: `name: "text"`, `name = 5;`, `"name": true`. The file is read, never run:
 * who may upload pictures shall not thereby put programs into everybody's browser.
 */
export function readSettings(text: string): Settings {
  const found: Record<string, string | number | boolean> = {};
  const without = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'])\/\/.*$/gm, "$1");
  const entry =
    /["']?([A-Za-z_$][\w$]*)["']?\s*[:=]\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|true|false|-?\d+(?:\.\d+)?)/g;
  for (const [, name, raw] of without.matchAll(entry)) {
    if (!name || raw === undefined) continue;
    if (raw === "true" || raw === "false") found[name] = raw === "true";
    else if (/^["']/.test(raw)) found[name] = raw.slice(1, -1).replace(/\\(.)/g, "$1");
    else found[name] = Number(raw);
  }
  return found;
}

/** What the settings mean to this app. */
export function apply(files: readonly string[], settings: Settings): Branding {
  const { applicationName, defaultDialOutProtocol: protocol, defaultBandwidth } = settings;
  return {
    files,
    applicationName: typeof applicationName === "string" && applicationName ? applicationName : undefined,
    dialOutProtocol:
      typeof protocol === "string" && PROTOCOLS.includes(protocol.toLowerCase())
        ? (protocol.toLowerCase() as DialProtocol)
        : undefined,
    bandwidth: typeof defaultBandwidth === "number" && defaultBandwidth > 0 ? defaultBandwidth : undefined,
  };
}

/** Put the branding in place, if there is one. Never fails: without it the app looks as it was shipped. */
export async function loadBranding(): Promise<void> {
  try {
    const files = await list();
    if (files.length === 0) return;
    if (files.includes("brand.css")) await style(`${ROOT}brand.css`);
    const settings = files.includes("settings.js") ? readSettings(await read("settings.js")) : {};
    current = apply(files, settings);
    document.documentElement.dataset.branded = files
      .filter((name) => /^(logo|background)\./.test(name))
      .join(" ");
    override(await texts(files));
  } catch (error) {
    console.warn("branding left out", error);
  }
}

async function list(): Promise<string[]> {
  const response = await fetch(`${ROOT}index.json`, { cache: "no-cache" });
  if (!response.ok) return [];
  const { files } = (await response.json()) as { files?: unknown };
  return Array.isArray(files) ? files.filter((name) => typeof name === "string") : [];
}

async function read(name: string): Promise<string> {
  const response = await fetch(ROOT + name, { cache: "no-cache" });
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.text();
}

function style(address: string): Promise<void> {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = address;
    link.onload = () => resolve();
    link.onerror = () => resolve();
    document.head.append(link);
  });
}

async function texts(files: readonly string[]): Promise<Record<string, Record<string, string>>> {
  const found: Record<string, Record<string, string>> = {};
  for (const name of files) {
    const language = TEXTS.exec(name)?.[1]?.toLowerCase();
    if (language) found[language] = onlyTexts(JSON.parse(await read(name)));
  }
  return found;
}

export function onlyTexts(parsed: unknown): Record<string, string> {
  if (typeof parsed !== "object" || parsed === null) return {};
  return Object.fromEntries(
    Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
