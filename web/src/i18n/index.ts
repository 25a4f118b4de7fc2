/** Texts by key. A language is one file with the same keys as `en.ts`. */

import { en } from "./en";

export type MessageKey = keyof typeof en;
export type Messages = Readonly<Record<MessageKey, string>>;

const languages: Readonly<Record<string, Messages>> = { en };

function pick(): Messages {
  const preferred = typeof navigator === "undefined" ? [] : navigator.languages;
  for (const tag of preferred) {
    const found = languages[tag.split("-")[0] ?? ""];
    if (found) return found;
  }
  return en;
}

const messages = pick();

/** The text for `key`, with `{name}` replaced by the parameter of that name. */
export function t(key: MessageKey, params: Readonly<Record<string, string | number>> = {}): string {
  return messages[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}
