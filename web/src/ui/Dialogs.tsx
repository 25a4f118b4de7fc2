import type { LocalState } from "../devices/local";
import type { Meeting } from "../meeting/meeting";
import type { MeetingState } from "../state/meeting";
import { DialDialog } from "./DialDialog";
import { KeypadDialog } from "./KeypadDialog";
import { LayoutDialog } from "./LayoutDialog";
import { OpenRoomsDialog } from "./OpenRoomsDialog";
import { RenameDialog } from "./RenameDialog";
import { SayToRoomsDialog } from "./SayToRoomsDialog";
import { SettingsDialog } from "./SettingsDialog";
import { ShortcutsDialog } from "./ShortcutsDialog";
import { StreamDialog } from "./StreamDialog";
import { TransferDialog } from "./TransferDialog";
import type { Wanted } from "./wanted";

interface Props {
  meeting: Meeting;
  state: MeetingState;
  /** That of the conference itself, wherever our picture and sound are. */
  whole: MeetingState;
  local: LocalState;
  wanted: Wanted | undefined;
  onClose(): void;
}

/** The dialog that was asked for. */
export function Dialogs({ meeting, state, whole, local, wanted, onClose }: Props) {
  switch (wanted?.kind) {
    case "layout":
      return <LayoutDialog meeting={meeting} state={state} onClose={onClose} />;
    case "dial":
      return <DialDialog meeting={meeting} onClose={onClose} />;
    case "stream":
      return <StreamDialog meeting={meeting} onClose={onClose} />;
    case "openRooms":
      return <OpenRoomsDialog meeting={meeting} state={whole} onClose={onClose} />;
    case "sayToRooms":
      return <SayToRoomsDialog meeting={meeting} onClose={onClose} />;
    case "settings":
      return <SettingsDialog media={meeting.media} local={local} onClose={onClose} />;
    case "shortcuts":
      return <ShortcutsDialog onClose={onClose} />;
    case "keypad":
      return <KeypadDialog meeting={meeting} row={wanted.row} onClose={onClose} />;
    case "transfer":
      return <TransferDialog meeting={meeting} row={wanted.row} onClose={onClose} />;
    case "rename":
      return <RenameDialog meeting={meeting} row={wanted.row} onClose={onClose} />;
    default:
      return null;
  }
}
