/** The page of a meeting without a browser: what the server would say goes in, what is asked of it comes out. */

import axe from "axe-core";
import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect } from "vitest";
import type {
  Admission,
  EventMap,
  EventName,
  ParticipantRecord,
  Role,
  StreamEvent,
} from "../../src/api/types";
import { LocalMedia } from "../../src/devices/local";
import { Meeting } from "../../src/meeting/meeting";
import type { Action } from "../../src/state/meeting";
import { Conference } from "../../src/ui/Conference";
import { row } from "../state/rows";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const ADMISSION: Admission = {
  token: "t",
  expires: "120",
  participant_uuid: "me",
  role: "HOST",
  display_name: "Me",
  current_service_type: "conference",
  service_type: "conference",
  conference_name: "Weekly",
  call_type: "video",
  chat_enabled: true,
  breakout_rooms: true,
};
const FLAGS: EventMap["conference_update"] = { locked: false, guests_muted: false, started: true };
const RULES = {
  runOnly: { type: "tag" as const, values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
};

/** A session that notes what is asked of it. */
class FakeSession {
  readonly asked: unknown[][] = [];
  readonly api: object = new Proxy(
    {},
    {
      get: (_, name: string) => (name === "token" ? "t" : (...given: unknown[]) => this.answer(name, given)),
    },
  );

  private async answer(name: string, given: unknown[]): Promise<unknown> {
    if (name === "layouts") return ["1:7", "2x2"];
    if (name === "layoutPictures") return {};
    this.asked.push([name, ...given]);
    return true;
  }

  move = async (place: unknown) => void this.asked.push(["move", place]);
  setSlides = async () => undefined;
  setTracks = async () => undefined;
}

export class MeetingInPage {
  private readonly session = new FakeSession();
  private readonly meeting = new Meeting(
    { alias: "meet.demo", displayName: "Me", node: "https://node.example" },
    new LocalMedia(),
  );
  private readonly root = createRoot(document.body.appendChild(document.createElement("div")));

  static async open(role: Role, people: readonly string[]): Promise<MeetingInPage> {
    const page = new MeetingInPage();
    Object.assign(page.meeting, { session: page.session });
    page.meeting.store.dispatch({ type: "admitted", admission: { ...ADMISSION, role } });
    await act(async () => page.root.render(<Conference meeting={page.meeting} />));
    await page.told("conference_update", FLAGS);
    await page.told("participant_sync_begin", null);
    for (const name of ["me", ...people]) {
      const mine = name === "me" && role === "HOST";
      await page.told("participant_create", page.person(name, { role: mine ? "chair" : "guest" }));
    }
    await page.told("participant_sync_end", null);
    return page;
  }

  /** What was asked of the server since this was looked at last. */
  get asked(): unknown[][] {
    return this.session.asked.splice(0);
  }

  person(uuid: string, more: Partial<ParticipantRecord> = {}): ParticipantRecord {
    const mix = { can_receive_personal_mix: true, receive_from_video_mix: { mix_name: "main" } };
    return row(uuid, { supports_direct_chat: true, ...mix, ...more });
  }

  flags(more: Partial<EventMap["conference_update"]>): EventMap["conference_update"] {
    return { ...FLAGS, ...more };
  }

  /** The server says. */
  async told<K extends EventName>(name: K, data: EventMap[K]): Promise<void> {
    const { received } = this.meeting as unknown as { received(event: StreamEvent): void };
    await act(async () => received.call(this.meeting, { name, data } as StreamEvent));
  }

  /** What the session tells of itself. */
  async happens(action: Action): Promise<void> {
    await act(async () => this.meeting.store.dispatch(action));
  }

  find(testId: string): HTMLElement | null {
    return document.querySelector(`[data-testid="${testId}"]`);
  }

  /** Click one after the other. */
  async click(...testIds: string[]): Promise<void> {
    for (const testId of testIds) {
      const element = this.find(testId);
      expect(element, testId).not.toBeNull();
      await act(async () => element?.click());
    }
  }

  async select(testId: string, value: string): Promise<void> {
    const element = this.find(testId) as HTMLSelectElement;
    await act(async () => {
      element.value = value;
      element.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  async escape(): Promise<void> {
    await act(
      async () =>
        void document.querySelector("dialog")?.dispatchEvent(new Event("cancel", { cancelable: true })),
    );
  }

  /** Nothing that axe objects to; colours need a browser. */
  async accessible(): Promise<void> {
    const { violations } = await axe.run(document.body, {
      ...RULES,
      rules: { "color-contrast": { enabled: false } },
    });
    expect(violations.map((one) => [one.id, ...one.nodes.map((node) => node.html)])).toEqual([]);
  }

  async close(): Promise<void> {
    await act(async () => this.root.unmount());
    document.body.replaceChildren();
  }
}
