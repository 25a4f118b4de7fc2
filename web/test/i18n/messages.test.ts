import { afterEach, describe, expect, it } from "vitest";
import {
  choices,
  direction,
  language,
  languages,
  type MessageKey,
  override,
  pick,
  speak,
  t,
} from "../../src/i18n";
import { en } from "../../src/i18n/en";

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe.each(Object.keys(languages))("%s", (tag) => {
  const messages = languages[tag] as Record<string, string>;

  it("has every text, and none that nobody asks for", () => {
    expect(Object.keys(messages).sort()).toEqual(Object.keys(en).sort());
  });

  it("has the same placeholders and no empty text", () => {
    for (const [key, text] of Object.entries(en)) {
      expect(placeholders(messages[key] ?? ""), key).toEqual(placeholders(text));
      expect(messages[key]?.trim(), key).not.toBe("");
    }
  });

  it("is translated", () => {
    if (tag === "en") return;
    // Words that are the same in both languages, no sentences.
    const same = Object.entries(en).filter(
      ([key, text]) => messages[key] === text && text.split(" ").length > 3,
    );
    expect(same).toEqual([]);
  });
});

it("knows languages that are written from right to left", () => {
  expect(["ar", "he", "de"].map(direction)).toEqual(["rtl", "rtl", "ltr"]);
});

describe("choice of language", () => {
  afterEach(() => {
    override({});
    speak("en");
  });

  it.each([
    [["de-CH", "en"], "de"],
    [["pt", "fr-CA"], "fr"],
    [["ja"], "en"],
    [[], "en"],
  ])("%j gives %s", (preferred, chosen) => {
    expect(pick(preferred)).toBe(chosen);
  });

  it("speaks what is chosen, with parameters in place", () => {
    speak("de");
    expect(language()).toBe("de");
    expect(t("knock.one", { name: "Ada" })).toBe("Ada möchte teilnehmen");
  });

  it("takes texts of a branding first and keeps the rest", () => {
    override({ en: { "home.title": "Welcome to Example" }, it: { "home.title": "Benvenuti" } });
    speak("en");
    expect(t("home.title")).toBe("Welcome to Example");
    expect(t("home.name")).toBe(en["home.name"]);
    speak("it");
    expect(t("home.title")).toBe("Benvenuti");
    expect(t("home.name" as MessageKey)).toBe(en["home.name"]);
    expect(choices().map(([tag]) => tag)).toContain("it");
  });
});
