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

/**
 * Put the branding in place, if there is one. Never fails: without it the app looks as it was shipped. `below`: the
 * path at which the app was opened, which may have a branding of its own.
 */
export async function loadBranding(below: string): Promise<void> {
  const root = `${below}branding/`;
  try {
    const files = await list(root);
    if (files.length === 0) return;
    if (files.includes("brand.css")) await style(`${root}brand.css`);
    const settings = files.includes("settings.js") ? readSettings(await read(`${root}settings.js`)) : {};
    current = apply(files, settings);
    document.documentElement.style.setProperty("--brand-logo", `url("${root}logo.png")`);
    document.documentElement.style.setProperty("--brand-ground", `url("${root}background.jpg")`);
    document.documentElement.dataset.branded = files
      .filter((name) => /^(logo|background)\./.test(name))
      .join(" ");
    override(await texts(root, files));
  } catch (error) {
    console.warn("branding left out", error);
  }
}

async function list(root: string): Promise<string[]> {
  const response = await fetch(`${root}index.json`, { cache: "no-cache" });
  if (!response.ok) return [];
  const { files } = (await response.json()) as { files?: unknown };
  return Array.isArray(files) ? files.filter((name) => typeof name === "string") : [];
}

async function read(address: string): Promise<string> {
  const response = await fetch(address, { cache: "no-cache" });
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
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

async function texts(
  root: string,
  files: readonly string[],
): Promise<Record<string, Record<string, string>>> {
  const found: Record<string, Record<string, string>> = {};
  for (const name of files) {
    const language = TEXTS.exec(name)?.[1]?.toLowerCase();
    if (language) found[language] = onlyTexts(JSON.parse(await read(root + name)));
  }
  return found;
}

export function onlyTexts(parsed: unknown): Record<string, string> {
  if (typeof parsed !== "object" || parsed === null) return {};
  return Object.fromEntries(
    Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
