// @vitest-environment happy-dom
import { act } from "react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MeetingInPage } from "./page";

let page: MeetingInPage;
let wide = true;

beforeEach(() => {
  wide = true;
  window.matchMedia = ((query: string) => ({
    matches: query.includes("min-width") ? wide : query.includes("max-width") && !wide,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  })) as unknown as typeof window.matchMedia;
  HTMLElement.prototype.showPopover ??= () => undefined;
});
afterEach(() => page.close());

const message = { origin: "Gus\u202e", uuid: "Gus", type: "text/plain", payload: "hello there" };
const key = (target: Element, name: string, more = {}) =>
  act(async () => {
    target.dispatchEvent(
      new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }),
    );
  });
const write = (input: HTMLTextAreaElement, text: string) =>
  act(async () => {
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(input, text);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
const behind = () => document.querySelector(".meeting-main");

describe("on a small screen", () => {
  it("a panel has the focus, what it covers has none, and Escape closes it", async () => {
    wide = false;
    page = await MeetingInPage.open("HOST", ["Gus"]);
    expect(behind()?.hasAttribute("inert")).toBe(false);
    await page.click("show-people");
    expect(behind()?.hasAttribute("inert")).toBe(true);
    const close = page.find("close-panel");
    expect(document.activeElement).toBe(close);
    await page.accessible();
    await key(close as HTMLElement, "Escape");
    expect(page.find("close-panel")).toBeNull();
    expect(behind()?.hasAttribute("inert")).toBe(false);
  });
});

describe("media that fails", () => {
  it("before there was any is being connected, not connected again", async () => {
    page = await MeetingInPage.open("GUEST", []);
    await page.happens({ type: "recovering", recovering: true });
    expect(page.find("reconnecting")).toBeNull();
    expect(page.find("stage")?.textContent).toContain("Connecting picture and sound");
    await page.happens({ type: "media", up: true });
    expect(page.find("reconnecting")?.textContent).toContain("Reconnecting picture and sound");
  });

  it("is told of beside the card of the waiting room", async () => {
    page = await MeetingInPage.open("GUEST", []);
    await page.told("participant_update", page.person("me", { service_type: "waiting_room" }));
    await page.happens({ type: "recovering", recovering: true });
    expect(page.find("connecting")?.textContent).toContain("Connecting picture and sound");
    expect(page.find("reconnecting")).toBeNull();
  });
});

describe("chat", () => {
  it("comes up as a notice while it is closed, without marks that turn text around", async () => {
    page = await MeetingInPage.open("GUEST", ["Gus"]);
    await page.told("message_received", message);
    expect(page.find("notice")?.textContent).toContain("Gus: hello there");
    await page.click("show-chat");
    expect(page.find("chat")?.textContent).toContain("hello there");
    await page.told("message_received", { ...message, payload: "again" });
    expect(document.querySelectorAll('[data-testid="notice"]')).toHaveLength(1);
    await page.accessible();
  });

  it("is sent with Enter, and goes on to a new line with Shift", async () => {
    page = await MeetingInPage.open("GUEST", ["Gus"]);
    await page.click("show-chat");
    const input = page.find("chat-input") as HTMLTextAreaElement;
    await write(input, "a\nb");
    await key(input, "Enter", { shiftKey: true });
    expect(page.asked).toEqual([]);
    await key(input, "Enter");
    expect(page.asked).toEqual([["say", "a\nb", undefined]]);
  });

  it("goes to nobody when the one it is meant for has left, until another is chosen", async () => {
    page = await MeetingInPage.open("GUEST", ["Gus", "Hal"]);
    await page.click("show-chat");
    await page.select("chat-to", "Gus");
    const input = page.find("chat-input") as HTMLTextAreaElement;
    await write(input, "between us");
    await page.told("participant_delete", { uuid: "Gus" });
    await key(input, "Enter");
    expect(page.asked).toEqual([]);
    expect(input.getAttribute("aria-label")).toContain("Has left");
    await page.accessible();
    await page.select("chat-to", "");
    await key(input, "Enter");
    expect(page.asked).toEqual([["say", "between us", undefined]]);
  });

  it("is gone when the server switches it off", async () => {
    page = await MeetingInPage.open("GUEST", []);
    expect(page.find("show-chat")).not.toBeNull();
    await page.told("conference_update", page.flags({ chat_enabled: false }));
    expect(page.find("show-chat")).toBeNull();
  });
});

describe("the list of people", () => {
  it("holds thirty of any script, and says who is on hold or in a breakout room", async () => {
    const names = Array.from({ length: 28 }, (_, index) => `محمد ${index}`);
    page = await MeetingInPage.open("HOST", names);
    await page.told("participant_create", page.person("held", { is_on_hold: true }));
    await page.told("participant_create", page.person("away", { role: "chair", is_conjoined: true }));
    expect(page.find("participant-held")?.textContent).toContain("On hold");
    expect(page.find("participant-away")?.textContent).toContain("In a breakout room");
    expect(page.find("roster-search")).not.toBeNull();
  });
});
