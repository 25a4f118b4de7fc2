import { type MessageKey, t } from "../i18n";
import { Dialog } from "./Dialog";

export const SHORTCUTS: readonly (readonly [string, MessageKey])[] = [
  ["M", "shortcuts.mic"],
  ["␣", "shortcuts.hold"],
  ["V", "shortcuts.camera"],
  ["H", "shortcuts.hand"],
  ["S", "shortcuts.share"],
  ["P", "shortcuts.people"],
  ["C", "shortcuts.chat"],
  ["F", "shortcuts.full"],
  ["K", "shortcuts.keypad"],
  ["I", "shortcuts.statistics"],
  ["?", "shortcuts.help"],
];

/** Which keys do what. */
export function ShortcutsDialog({ onClose }: { onClose(): void }) {
  return (
    <Dialog title={t("shortcuts.title")} onClose={onClose}>
      <dl className="shortcuts" data-testid="shortcuts">
        {SHORTCUTS.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
      <p className="soft small">{t("shortcuts.off")}</p>
    </Dialog>
  );
}
