import { Icon, type IconName } from "./Icon";

interface Props {
  testId: string;
  icon: IconName;
  label: string;
  /** Shown to who points at it, in place of the label. */
  tip?: string;
  /** A word below it, where there is room. */
  caption?: string;
  /** Shown as switched off (a muted microphone, a stopped camera). */
  off?: boolean;
  pressed?: boolean;
  badge?: number;
  shortcut?: string;
  onClick(): void;
}

/** A round icon button; its label says what pressing it does or, with `pressed`, what is so then. */
export function ToggleButton(props: Props) {
  const { testId, icon, label, tip = label, caption, off, pressed, badge, shortcut, onClick } = props;
  return (
    <span className="captioned">
      <button
        type="button"
        className={`round${off ? " is-off" : ""}${pressed ? " is-pressed" : ""}`}
        data-testid={testId}
        data-off={off ?? false}
        aria-label={label}
        aria-pressed={pressed}
        aria-keyshortcuts={shortcut}
        title={shortcut ? `${tip} (${shortcut})` : tip}
        onClick={onClick}
      >
        <Icon name={icon} />
        {badge ? <span className="badge" data-count={badge > 9 ? "9+" : badge} /> : null}
      </button>
      {caption && (
        <span className="caption" aria-hidden="true">
          {caption}
        </span>
      )}
    </span>
  );
}
