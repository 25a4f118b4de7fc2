import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ConferenceApi } from "../../src/api/conference";

const requests: { path: string; body: unknown }[] = [];
const BASE = "https://node.example/api/client/v2/conferences/meet%20demo/";

beforeEach(() => {
  requests.length = 0;
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    requests.push({ path: url.replace(BASE, ""), body: init.body && JSON.parse(String(init.body)) });
    return new Response(
      JSON.stringify({ status: "success", result: { breakout_uuid: "r", call_uuid: "c", sdp: "s" } }),
    );
  });
});
afterEach(() => vi.unstubAllGlobals());

const made = () => new ConferenceApi("meet demo", "token", "me", "https://node.example");
const paths = () => requests.map(({ path }) => path);

describe("calls of a joined participant", () => {
  it("act in the conference, or in the room where picture and sound are", async () => {
    const api = made();
    await api.mute("ada", true);
    await api.placeCall("offer", "video");
    api.place = { room: "r/1", self: "me-there" };
    await api.mute("ada", true);
    await api.clientMute(true);
    await api.placeCall("offer", "video");
    await api.say("hello");
    await api.lock(true);
    expect(paths()).toEqual([
      "participants/ada/mute",
      "participants/me/calls",
      "breakouts/r%2F1/participants/ada/mute",
      "breakouts/r%2F1/participants/me-there/client_mute",
      "breakouts/r%2F1/participants/me-there/calls",
      "breakouts/r%2F1/message",
      "breakouts/r%2F1/lock",
    ]);
  });

  it("that concern all rooms, or the conference as a whole, stay with it", async () => {
    const api = made();
    api.place = { room: "r", self: "me-there" };
    await api.move(["ada"], undefined, "r");
    await api.move(["ada"], "r", undefined);
    await api.move(["ada"], "r", "s");
    await api.sayToRooms("five minutes");
    await api.helpGiven("s");
    await api.endForAll();
    await api.refresh(100);
    expect(paths()).toEqual([
      "participants/breakout",
      "breakouts/r/participants/breakout",
      "breakouts/r/participants/breakout",
      "breakouts/message",
      "breakouts/s/clearbreakoutbuzz",
      "disconnect",
      "refresh_token",
    ]);
    expect(requests.slice(0, 3).map(({ body }) => body)).toEqual([
      { breakout_uuid: "r", participants: ["ada"] },
      { breakout_uuid: "main", participants: ["ada"] },
      { breakout_uuid: "s", participants: ["ada"] },
    ]);
  });

  it("choose a layout of one's own, made first where there is none, and give it up", async () => {
    const api = made();
    await api.ownLayout("1:7", true);
    await api.ownLayout("2x2", false);
    await api.ownLayout(undefined, false);
    const own = "video_mixes/main.!personal";
    expect(paths()).toEqual(["video_mixes/create", `${own}/configure`, `${own}/configure`, `${own}/delete`]);
  });
});
