/** Line icons drawn for this app, 24 × 24. */

const PATHS = {
  mic: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
  micOff:
    "M9 9v2a3 3 0 0 0 4.8 2.4M15 10.5V6a3 3 0 0 0-5.8-1M5.5 11a6.5 6.5 0 0 0 10.4 5.2M18.5 11c0 1-.2 1.9-.6 2.7M12 17.5V21M4 4l16 16",
  camera:
    "M4.5 7h9A1.5 1.5 0 0 1 15 8.5v7a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 15.5v-7A1.5 1.5 0 0 1 4.5 7ZM15 11l6-3.2v8.4L15 13",
  cameraOff:
    "M9.5 7h4A1.5 1.5 0 0 1 15 8.5v3.8M15 16a1.5 1.5 0 0 1-1.5 1H4.5A1.5 1.5 0 0 1 3 15.5v-7A1.5 1.5 0 0 1 4.5 7H6M15 11l6-3.2v8.4L18 14.6M4 4l16 16",
  speaker: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  people:
    "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.5c0-3.2 2.9-5 6.5-5s6.5 1.8 6.5 5M15.5 4.8a3.3 3.3 0 0 1 0 6.4M18 14.9c2.1.7 3.5 2.2 3.5 4.6",
  chat: "M4 5h16v11H10.5L6 19.8V16H4V5ZM8 9h8M8 12.2h5",
  hand: "M8 13V6.2a1.4 1.4 0 0 1 2.8 0V11V4.9a1.4 1.4 0 0 1 2.8 0V11V6.2a1.4 1.4 0 0 1 2.8 0V14c0 4-2.2 6.5-5.6 6.5-2.9 0-4.3-1.4-5.6-3.9L3.7 13.6a1.4 1.4 0 0 1 2.4-1.4L8 14.5",
  leave: "M3.2 14.6c-.6-4.6 3.7-6.6 8.8-6.6s9.4 2 8.8 6.6l-4.3-.9-.3-2.4a12 12 0 0 0-8.4 0l-.3 2.4-4.3.9Z",
  close: "M6 6l12 12M18 6L6 18",
  lock: "M6.5 11h11v8.5h-11V11ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  unlock: "M6.5 11h11v8.5h-11V11ZM8.5 11V8a3.5 3.5 0 0 1 6.7-1.4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  remove:
    "M9.5 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM3 19.5c0-3.2 2.9-5 6.5-5 1.6 0 3 .3 4.1 1M16 16l5 5M21 16l-5 5",
  settings:
    "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM9 19.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z",
  send: "M4 12l16-7.5L15.5 20l-4-6.2L4 12ZM11.5 13.8L20 4.5",
  warning: "M12 4.5 2.8 20h18.4L12 4.5ZM12 10.5v4.2M12 17.3v.2",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5.3l3.4 2",
  up: "M6 14.5l6-6 6 6",
  arrow: "M5 12h14M13 6l6 6-6 6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 22 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill={name === "leave" ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth={name === "leave" ? 0 : 1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
