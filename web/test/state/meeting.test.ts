import { describe, expect, it } from "vitest";
import type { Admission, ParticipantRecord, StreamEvent } from "../../src/api/types";
import {
  type Action,
  handRaised,
  initialMeeting,
  isMutedByHost,
  type MeetingState,
  reduceMeeting,
} from "../../src/state/meeting";
import { row } from "./rows";

const admission: Admission = {
  token: "t",
  expires: "120",
  participant_uuid: "me",
  role: "GUEST",
  display_name: "Ada",
  current_service_type: "waiting_room",
  service_type: "conference",
  conference_name: "Weekly",
  call_type: "video",
  chat_enabled: true,
};

const run = (actions: Action[], start: MeetingState = initialMeeting) => actions.reduce(reduceMeeting, start);
const event = (what: StreamEvent): Action => ({ type: "event", event: what, now: 1 });
const create = (record: ParticipantRecord) => event({ name: "participant_create", data: record });
const update = (record: ParticipantRecord) => event({ name: "participant_update", data: record });
const keys = (state: MeetingState) => state.notices.map((notice) => notice.key);

const joined = run([{ type: "admitted", admission }, create(row("me", { service_type: "waiting_room" }))]);

describe("meeting", () => {
  it("knows where it is from the admission", () => {
    expect(joined).toMatchObject({
      phase: { kind: "active" },
      where: "waiting_room",
      self: "me",
      role: "GUEST",
    });
  });

  it("notices being let in", () => {
    const state = run([update(row("me"))], joined);
    expect(state.where).toBe("conference");
    expect(keys(state)).toEqual(["notice.admitted"]);
  });

  it("notices being muted and unmuted by somebody else", () => {
    const muted = run([update(row("me")), update(row("me", { is_muted: "YES" }))], joined);
    expect(isMutedByHost(muted)).toBe(true);
    expect(keys(muted)).toContain("notice.mutedByHost");
    const unmuted = run([update(row("me"))], muted);
    expect(isMutedByHost(unmuted)).toBe(false);
    expect(keys(unmuted)).toContain("notice.unmutedByHost");
  });

  it("takes over a changed role", () => {
    const state = run([update(row("me", { role: "chair" }))], joined);
    expect(state.role).toBe("HOST");
    expect(keys(state)).toContain("notice.nowHost");
  });

  it("says nothing about changes of others", () => {
    const state = run([create(row("b")), update(row("b", { is_muted: "YES" }))], joined);
    expect(keys(state)).toEqual([]);
  });

  it("keeps the conference's flags", () => {
    const data = { locked: true, guests_muted: false, started: true };
    expect(run([event({ name: "conference_update", data })], joined).flags.locked).toBe(true);
  });

  it("starts a new roster for each admission", () => {
    expect(run([{ type: "admitted", admission }], joined).roster.byUuid.size).toBe(0);
  });
});

describe("chat", () => {
  const message = (type = "text/plain") =>
    event({ name: "message_received", data: { origin: "Bo", uuid: "b", type, payload: "Hi" } });

  it("counts unread messages until the chat is opened", () => {
    const state = run([message(), message("text/plain; charset=utf-8")], joined);
    expect(state.unread).toBe(2);
    const open = run([{ type: "chatOpen", open: true }, message()], state);
    expect(open.unread).toBe(0);
    expect(open.chat).toHaveLength(3);
  });

  it("ignores messages meant for programs", () => {
    expect(run([message("application/json")], joined).chat).toEqual([]);
  });

  it("adds the own message itself, as the server does not echo it", () => {
    const state = run([{ type: "said", text: "Hello", now: 2, delivered: false }], joined);
    expect(state.chat[0]).toMatchObject({ own: true, origin: "Ada", text: "Hello", undelivered: true });
  });
});

it("shows each kind of notice once and can dismiss it", () => {
  const notice: Action = { type: "notice", key: "notice.actionFailed", params: { reason: "x" } };
  const state = run([notice, notice], joined);
  expect(state.notices).toHaveLength(1);
  expect(run([{ type: "dismiss", id: state.notices[0]?.id ?? 0 }], state).notices).toEqual([]);
});

describe("getting back in", () => {
  const chat = event({
    name: "message_received",
    data: { origin: "Bob", uuid: "bob", type: "text/plain", payload: "hello" },
  });
  const before = run(
    [
      create(row("bob")),
      chat,
      { type: "microphone", muted: true },
      { type: "camera", off: true },
      { type: "media", up: true },
      { type: "recovering", recovering: true },
      { type: "link", link: "rejoining" },
      { type: "unreachable", node: "https://two" },
      { type: "unreachable", node: "https://two" },
    ],
    joined,
  );
  const again = { ...admission, participant_uuid: "me-again" };

  it("shows each node that cannot be reached once", () => {
    expect(before).toMatchObject({ link: "rejoining", unreachable: ["https://two"] });
    expect(run([{ type: "link", link: "up" }], before).unreachable).toEqual([]);
  });

  it("keeps chat, switches and the others, and drops the earlier self and all trouble", () => {
    const after = run([{ type: "admitted", admission: again }], before);
    expect(after.chat.map((line) => line.text)).toEqual(["hello"]);
    expect(after).toMatchObject({
      self: "me-again",
      micMuted: true,
      cameraOff: true,
      mediaUp: false,
      recovering: false,
      link: "up",
      unreachable: [],
    });
    expect([...after.roster.byUuid.keys()]).toEqual(["bob"]);
  });

  it("replaces the roster when the new one is complete", () => {
    const steps: Action[] = [
      { type: "admitted", admission: again },
      event({ name: "participant_sync_begin", data: null }),
      create(row("me-again")),
      create(row("carol")),
    ];
    const meanwhile = run(steps, before);
    expect([...meanwhile.roster.byUuid.keys()]).toEqual(["bob"]);
    const after = run([event({ name: "participant_sync_end", data: null })], meanwhile);
    expect([...after.roster.byUuid.keys()]).toEqual(["me-again", "carol"]);
  });

  it("starts with an empty roster in another conference", () => {
    const after = run(
      [
        { type: "phase", phase: { kind: "joining" } },
        { type: "admitted", admission },
      ],
      before,
    );
    expect(after.roster.byUuid.size).toBe(0);
  });

  it("remembers a raised hand until it leaves the conference", () => {
    const raised = run([create(row("me", { buzz_time: 5 }))], before);
    expect(handRaised(raised)).toBe(true);
    expect(handRaised(before)).toBe(false);
    expect(handRaised(run([{ type: "phase", phase: { kind: "joining" } }], raised))).toBe(false);
  });
});
