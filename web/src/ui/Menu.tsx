import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Icon, type IconName } from "./Icon";

export interface MenuItem {
  testId: string;
  label: string;
  icon?: IconName;
  /** For what can be on or off. */
  checked?: boolean;
  danger?: boolean;
  /** A line above it. */
  apart?: boolean;
  shortcut?: string;
  onChoose(): void;
}

interface Props {
  testId: string;
  label: string;
  className: string;
  items: readonly MenuItem[];
  /** Of the button. */
  children: ReactNode;
  pressed?: boolean;
}

const GAP = 8;

/** A button that opens a list of actions; arrows move in it, Escape closes it. Lies above everything, never cut off. */
export function Menu({ testId, label, className, items, children, pressed }: Props) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  useEffect(() => {
    const [anchor, element] = [button.current, list.current];
    if (!open || !anchor || !element) return;
    element.showPopover?.();
    place(element, anchor);
    element.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
    const outside = (event: PointerEvent) => {
      const target = event.target as Node;
      if (!element.contains(target) && !anchor.contains(target)) setOpen(false);
    };
    const gone = () => setOpen(false);
    document.addEventListener("pointerdown", outside);
    window.addEventListener("resize", gone);
    return () => {
      document.removeEventListener("pointerdown", outside);
      window.removeEventListener("resize", gone);
    };
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const pressedKey = (event: KeyboardEvent<HTMLDivElement>) => {
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>("[role^=menuitem]")];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const target = targetOf(event.key, at, all.length);
    if (target !== undefined) all[target]?.focus();
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") setOpen(false);
    else return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        data-testid={testId}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        data-pressed={pressed}
        onClick={() => setOpen(!open)}
      >
        {children}
      </button>
      {open && (
        <div
          ref={list}
          id={id}
          className="menu"
          popover="manual"
          role="menu"
          tabIndex={-1}
          aria-label={label}
          onKeyDown={pressedKey}
        >
          {items.map((item) => (
            // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role that supports it is there when it is
            <button
              key={item.testId}
              type="button"
              tabIndex={-1}
              role={item.checked === undefined ? "menuitem" : "menuitemcheckbox"}
              aria-checked={item.checked}
              className={`menu-item${item.danger ? " danger" : ""}${item.apart ? " apart" : ""}`}
              data-testid={item.testId}
              onClick={() => {
                close();
                item.onChoose();
              }}
            >
              {item.icon && <Icon name={item.icon} size={19} />}
              <span>{item.label}</span>
              {item.checked && <Icon name="check" size={17} />}
              {item.shortcut && <kbd>{item.shortcut}</kbd>}
            </button>
          ))}
        </div>
      )}
    </>
  );
}

function targetOf(key: string, at: number, count: number): number | undefined {
  if (key === "ArrowDown") return (at + 1) % count;
  if (key === "ArrowUp") return (at - 1 + count) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return undefined;
}

/** Below the button or, where there is no room, above it; always within the window. */
function place(element: HTMLElement, anchor: HTMLElement): void {
  const from = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const below = from.bottom + GAP + height < window.innerHeight;
  const top = below ? from.bottom + GAP : Math.max(GAP, from.top - GAP - height);
  const middle = from.left + from.width / 2;
  const wanted = middle > window.innerWidth / 2 ? from.right - width : from.left;
  const left = Math.min(Math.max(GAP, wanted), window.innerWidth - width - GAP);
  Object.assign(element.style, { top: `${top}px`, left: `${left}px` });
}
