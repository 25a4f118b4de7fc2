// @vitest-environment happy-dom
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { MeetingInPage } from "./page";

let page: MeetingInPage;

beforeAll(() => {
  window.matchMedia = ((query: string) => ({
    matches: query.includes("min-width"),
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  })) as unknown as typeof window.matchMedia;
  HTMLElement.prototype.showPopover ??= () => undefined;
});
afterEach(() => page.close());

const ROOM = { breakout_uuid: "r", participant_uuid: "me-there" };
const inside = (event: string, data: unknown) =>
  page.told("breakout_event", { breakout_uuid: "r", event, data });
const room = (more = {}) =>
  page.flags({ breakout: true, breakout_name: "Room 1", breakoutbuzz: { value: false, time: 0 }, ...more });

async function opened(): Promise<void> {
  page = await MeetingInPage.open("HOST", ["Gus", "Gina"]);
  await page.told("breakout_begin", ROOM);
  await inside("participant_create", page.person("me-there", { role: "chair", has_media: false }));
  await inside("participant_create", page.person("Zoe"));
  await inside("conference_update", room());
}

describe("a Host", () => {
  it("opens rooms and says who goes where", async () => {
    page = await MeetingInPage.open("HOST", ["Gus", "Gina"]);
    await page.click("more", "show-rooms");
    await page.accessible();
    await page.click("open-rooms");
    await page.select("rooms-way", "chosen");
    await page.select("assign-Gus", "1");
    await page.select("rooms-duration", "15");
    await page.accessible();
    await page.click("rooms-may-leave", "dialog-submit");
    const shared = { duration: 900, end_action: "transfer", guests_allowed_to_leave: false };
    expect(page.asked).toEqual([
      ["openRoom", { name: "Room 1", ...shared, participants: {} }],
      ["openRoom", { name: "Room 2", ...shared, participants: { main: ["Gus"] } }],
    ]);
  });

  it("moves people from one place to another", async () => {
    await opened();
    await page.click("more", "show-rooms", "move-menu-Gus", "move-r", "move-menu-Zoe", "move-main");
    expect(page.asked).toEqual([
      ["move", ["Gus"], undefined, "r"],
      ["move", ["Zoe"], "r", undefined],
    ]);
    await page.accessible();
  });

  it("goes where help is asked for, sees and acts upon that room, and comes back", async () => {
    await opened();
    await inside("conference_update", room({ breakoutbuzz: { value: true, time: 3 } }));
    await page.accessible();
    await page.click("help-go");
    expect(page.find("room-bar")?.textContent).toContain("Room 1");
    expect(page.asked).toContainEqual(["move", { room: "r", self: "me-there" }]);
    expect(page.find("participant-Zoe")).not.toBeNull();
    expect(page.find("participant-Gus")).toBeNull();
    await page.click("mute-Zoe");
    expect(page.asked).toContainEqual(["mute", "Zoe", true]);
    await page.click("leave-room");
    expect(page.asked).toContainEqual(["move", undefined]);
    expect(page.find("room-bar")).toBeNull();
    expect(page.find("participant-Gus")).not.toBeNull();
  });

  it("puts people on hold, and says what Guests may", async () => {
    page = await MeetingInPage.open("HOST", ["Gus"]);
    await page.click("menu-Gus", "row-hold", "more", "guests-unmute", "more", "guests-present");
    expect(page.asked).toEqual([
      ["hold", "Gus", true],
      ["letGuestsUnmute", true],
      ["letGuestsPresent", false],
    ]);
  });
});

describe("a Guest", () => {
  it("in a room asks for help and goes back where that is allowed", async () => {
    page = await MeetingInPage.open("GUEST", []);
    await page.told("conference_update", room({ breakout_guests_allowed_to_leave: true }));
    await page.accessible();
    await page.click("ask-for-help", "leave-room");
    expect(page.asked).toEqual([["askForHelp", true], ["leaveRoom"]]);
    await page.told("conference_update", room());
    expect(page.find("leave-room")).toBeNull();
  });

  it("ends the own mute only where that is allowed", async () => {
    page = await MeetingInPage.open("GUEST", []);
    await page.told("participant_update", page.person("me", { is_muted: "YES" }));
    expect(page.find("muted-by-host")).not.toBeNull();
    expect(page.find("unmute-me")).toBeNull();
    await page.told("conference_update", page.flags({ guests_can_unmute: true }));
    await page.click("unmute-me");
    expect(page.asked).toEqual([["mute", "me", false]]);
  });

  it("chooses a layout of its own, and gives it up", async () => {
    page = await MeetingInPage.open("GUEST", []);
    await page.click("more", "open-layout", "layout-2x2");
    expect(page.asked).toEqual([["ownLayout", "2x2", true]]);
    await page.told(
      "participant_update",
      page.person("me", {
        receive_from_video_mix: {
          mix_name: "main.!personal",
          mix_config: { transform_layout: { layout: "2x2" } },
        },
      }),
    );
    expect(page.find("layout-2x2")?.getAttribute("aria-pressed")).toBe("true");
    await page.accessible();
    await page.click("layout-as-all");
    expect(page.asked).toEqual([["ownLayout", undefined, false]]);
  });
});
