/** Texts by key. A language is one file with the same keys as `en.ts`. */

import { de } from "./de";
import { en } from "./en";
import { fr } from "./fr";

export type MessageKey = keyof typeof en;
export type Messages = Readonly<Record<MessageKey, string>>;

export const languages: Readonly<Record<string, Messages>> = { en, de, fr };

/** What each language calls itself. */
export const languageNames: Readonly<Record<string, string>> = {
  en: "English",
  de: "Deutsch",
  fr: "Français",
};

/** The first language of `preferred` that there is. */
export function pick(
  preferred: readonly string[],
  known: readonly string[] = Object.keys(languages),
): string {
  for (const tag of preferred) {
    const language = tag.toLowerCase().split("-")[0] ?? "";
    if (known.includes(language)) return language;
  }
  return "en";
}

const browsers = () => (typeof navigator === "undefined" ? [] : navigator.languages);

let current = pick(browsers());
let overrides: Readonly<Record<string, Readonly<Record<string, string>>>> = {};
const listeners = new Set<() => void>();

/** Written from right to left; a branding may bring them. */
const LEFTWARD: ReadonlySet<string> = new Set(["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"]);

export const direction = (tag: string): "rtl" | "ltr" => (LEFTWARD.has(tag) ? "rtl" : "ltr");

function told(): void {
  if (typeof document !== "undefined") {
    document.documentElement.lang = current;
    document.documentElement.dir = direction(current);
  }
  for (const listener of [...listeners]) listener();
}

/** The language in use. */
export const language = (): string => current;

/** How times and numbers are written: as the browser has it for the language in use. */
export function locale(): string {
  return browsers().find((tag) => tag.toLowerCase().startsWith(current)) ?? current;
}

/** Use a language; undefined: the browser's. */
export function speak(wanted: string | undefined): void {
  current = pick(wanted ? [wanted, ...browsers()] : browsers(), [
    ...Object.keys(languages),
    ...Object.keys(overrides),
  ]);
  told();
}

/** Texts of a branding, by language and key; what it does not have stays. It may bring further languages. */
export function override(texts: typeof overrides): void {
  overrides = texts;
  told();
}

export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** All languages to choose from, with what they call themselves. */
export function choices(): [string, string][] {
  const added = Object.keys(overrides).filter((tag) => !(tag in languages));
  const name = (tag: string) => new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  return [...Object.entries(languageNames), ...added.map((tag): [string, string] => [tag, name(tag)])];
}

/** The text for `key`, with `{name}` replaced by the parameter of that name. */
export function t(key: MessageKey, params: Readonly<Record<string, string | number>> = {}): string {
  const text = overrides[current]?.[key] ?? languages[current]?.[key] ?? en[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}
