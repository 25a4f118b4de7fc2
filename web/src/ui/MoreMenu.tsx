import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { isWaiting, type MeetingState, mayChooseOwnLayout } from "../state/meeting";
import type { Deeds } from "./Controls";
import { Icon } from "./Icon";
import { Menu, type MenuItem } from "./Menu";
import { type Desk, useDesk } from "./wanted";

interface Props {
  meeting: Meeting;
  state: MeetingState;
  deeds: Deeds;
  full: boolean;
  selfShown: boolean;
}

/** Everything that is not needed every minute. */
export function MoreMenu({ meeting, state, deeds, full, selfShown }: Props) {
  const desk = useDesk();
  const host = state.role === "HOST" && !isWaiting(state);
  const layout: MenuItem[] =
    host || mayChooseOwnLayout(state)
      ? [
          {
            testId: "open-layout",
            icon: "layout",
            label: t("layout.open"),
            onChoose: () => desk.ask({ kind: "layout" }),
          },
        ]
      : [];
  const items = [
    ...layout,
    ...(host && state.place === undefined ? hostItems(meeting, desk, state) : []),
    ...(host && state.service.rooms ? roomItems(deeds) : []),
    ...(host && state.place === undefined ? permissions(meeting, state) : []),
    ...itemsForAll(desk, deeds, full, selfShown),
  ];
  return (
    <span className="captioned">
      <Menu testId="more" className="round" label={t("control.more")} items={items}>
        <Icon name="more" />
      </Menu>
      <span className="caption" aria-hidden="true">
        {t("control.more")}
      </span>
    </span>
  );
}

function hostItems(meeting: Meeting, desk: Desk, state: MeetingState): MenuItem[] {
  const { self } = state;
  const row = state.roster.byUuid.get(self);
  const items: MenuItem[] = [
    { testId: "open-dial", icon: "call", label: t("dial.open"), onChoose: () => desk.ask({ kind: "dial" }) },
    {
      testId: "open-stream",
      icon: "stream",
      label: t("stream.open"),
      onChoose: () => desk.ask({ kind: "stream" }),
    },
  ];
  const streams = [...state.roster.byUuid.values()].filter((one) => one.is_streaming_conference);
  if (streams.length > 0) {
    items.push({
      testId: "stop-stream",
      icon: "stop",
      label: t("stream.stop"),
      onChoose: () => {
        for (const one of streams) void meeting.act((api) => api.remove(one.uuid));
      },
    });
  }
  if (row) {
    items.push({
      testId: "open-transfer",
      icon: "transfer",
      label: t("transfer.open"),
      onChoose: () => desk.ask({ kind: "transfer", row }),
    });
  }
  return items;
}

function roomItems(deeds: Deeds): MenuItem[] {
  return [
    {
      testId: "show-rooms",
      icon: "rooms",
      label: t("rooms.title"),
      onChoose: () => deeds.panel("rooms"),
    },
  ];
}

/** What Guests are allowed. */
function permissions(meeting: Meeting, { flags }: MeetingState): MenuItem[] {
  const unmute = flags.guests_can_unmute ?? false;
  const present = flags.guests_can_present ?? true;
  return [
    {
      testId: "guests-unmute",
      icon: "mic",
      label: t("allow.unmute"),
      checked: unmute,
      apart: true,
      onChoose: () => void meeting.act((api) => api.letGuestsUnmute(!unmute)),
    },
    {
      testId: "guests-present",
      icon: "share",
      label: t("allow.present"),
      checked: present,
      onChoose: () => void meeting.act((api) => api.letGuestsPresent(!present)),
    },
  ];
}

function itemsForAll(desk: Desk, deeds: Deeds, full: boolean, selfShown: boolean): MenuItem[] {
  const items: MenuItem[] = [
    {
      testId: "open-keypad",
      icon: "keypad",
      label: t("keypad.title"),
      shortcut: "K",
      apart: true,
      onChoose: () => desk.ask({ kind: "keypad" }),
    },
    {
      testId: "full-screen",
      icon: "full",
      label: t(full ? "view.leaveFullScreen" : "view.fullScreen"),
      shortcut: "F",
      onChoose: deeds.full,
    },
  ];
  items.push({
    testId: "self-shown",
    icon: "camera",
    label: t("view.self"),
    checked: selfShown,
    onChoose: deeds.self,
  });
  if (document.pictureInPictureEnabled) {
    items.push({ testId: "pip", icon: "pip", label: t("view.pip"), onChoose: deeds.pip });
  }
  items.push(
    {
      testId: "open-statistics",
      icon: "statistics",
      label: t("view.statistics"),
      shortcut: "I",
      onChoose: () => deeds.panel("statistics"),
    },
    {
      testId: "open-shortcuts",
      icon: "help",
      label: t("view.shortcuts"),
      shortcut: "?",
      apart: true,
      onChoose: () => desk.ask({ kind: "shortcuts" }),
    },
    {
      testId: "show-settings",
      icon: "settings",
      label: t("settings.open"),
      onChoose: () => desk.ask({ kind: "settings" }),
    },
  );
  return items;
}
