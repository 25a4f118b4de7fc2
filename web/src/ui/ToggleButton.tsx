import { Icon, type IconName } from "./Icon";

interface Props {
  testId: string;
  icon: IconName;
  label: string;
  /** Shown as switched off (a muted microphone, a stopped camera). */
  off?: boolean;
  pressed?: boolean;
  badge?: number;
  shortcut?: string;
  onClick(): void;
}

/** A round icon button; its label says what pressing it does. */
export function ToggleButton({ testId, icon, label, off, pressed, badge, shortcut, onClick }: Props) {
  return (
    <button
      type="button"
      className={`round${off ? " is-off" : ""}${pressed ? " is-pressed" : ""}`}
      data-testid={testId}
      data-off={off ?? false}
      aria-label={label}
      aria-pressed={pressed}
      aria-keyshortcuts={shortcut}
      title={shortcut ? `${label} (${shortcut})` : label}
      onClick={onClick}
    >
      <Icon name={icon} />
      {badge ? <span className="badge">{badge > 9 ? "9+" : badge}</span> : null}
    </button>
  );
}
