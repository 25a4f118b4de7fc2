import { t } from "../i18n";
import { canShareScreen } from "../sharing/screen";
import { type MeetingState, mayPresent } from "../state/meeting";
import { Icon } from "./Icon";
import { Menu, type MenuItem } from "./Menu";
import type { Sharing } from "./sharing";
import { ToggleButton } from "./ToggleButton";

/** Present something, or stop. */
export function ShareButton({ state, sharing }: { state: MeetingState; sharing: Sharing }) {
  if (state.presenting) {
    return (
      <ToggleButton
        testId="share"
        icon="share"
        label={t("control.shareStop")}
        caption={t("control.shareStop")}
        pressed
        shortcut="S"
        onClick={sharing.stop}
      />
    );
  }
  if (!mayPresent(state)) return null;
  const screens: MenuItem[] = [
    {
      testId: "share-detail",
      icon: "share",
      label: t("share.detail"),
      shortcut: "S",
      onChoose: () => sharing.screen("detail"),
    },
    {
      testId: "share-motion",
      icon: "film",
      label: t("share.motion"),
      onChoose: () => sharing.screen("motion"),
    },
  ];
  const items: MenuItem[] = [
    ...(canShareScreen() ? screens : []),
    { testId: "share-file", icon: "file", label: t("share.file"), onChoose: sharing.file },
  ];
  return (
    <span className="captioned">
      <Menu testId="share" className="round" label={t("control.share")} items={items}>
        {sharing.opening ? <span className="spinner small-spinner" /> : <Icon name="share" />}
      </Menu>
      <span className="caption" aria-hidden="true">
        {t("control.share")}
      </span>
    </span>
  );
}
