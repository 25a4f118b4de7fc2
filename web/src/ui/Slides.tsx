import { useCallback, useEffect, useRef, useState } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { useFullScreen } from "./hooks";
import { Icon, type IconName } from "./Icon";
import { popOut } from "./popOut";
import { SelfPlaying } from "./SelfPlaying";

interface Props {
  meeting: Meeting;
  track: MediaStreamTrack | undefined;
  presenter: string;
  /** Shown small beside the conference picture. */
  small: boolean;
  onSwap(): void;
}

const ZOOMS = [1, 1.25, 1.5, 2, 3, 4];

/** What somebody presents: zoomed, full screen, or in a window of its own. */
export function Slides({ meeting, track, presenter, small, onSwap }: Props) {
  const frame = useRef<HTMLElement>(null);
  const [zoom, setZoom] = useState(0);
  const [popped, setPopped] = useState<Window>();
  const [full, toggleFull] = useFullScreen(useCallback(() => frame.current, []));
  const title = t("slides.by", { name: presenter });

  useEffect(() => () => popped?.close(), [popped]);
  useEffect(() => {
    if (!track) popped?.close();
  }, [track, popped]);

  const pop = () => {
    if (popped) {
      popped.close();
      return;
    }
    if (!track) return;
    const opened = popOut(track, title, () => setPopped(undefined));
    if (opened) setPopped(opened);
    else meeting.store.dispatch({ type: "notice", key: "slides.popBlocked" });
  };
  const scale = small || popped ? 1 : (ZOOMS[zoom] ?? 1);

  return (
    <section
      ref={frame}
      className={small ? "slides small-view" : "slides"}
      aria-label={title}
      data-testid="slides"
    >
      {track && !popped ? (
        <div className="slides-scroll" tabIndex={scale > 1 ? 0 : undefined}>
          <SelfPlaying
            track={track}
            testId="slides-video"
            label={title}
            style={{ width: `${scale * 100}%`, height: `${scale * 100}%` }}
          />
        </div>
      ) : (
        <p className="stage-note">{t(popped ? "slides.popped" : "slides.waiting")}</p>
      )}
      {!small && <p className="slides-name">{title}</p>}
      <div className="slides-tools" role="toolbar" aria-label={t("slides.title")}>
        {!small && !popped && (
          <>
            <Tool
              icon="minus"
              label={t("slides.zoomOut")}
              testId="zoom-out"
              off={zoom === 0}
              onClick={() => setZoom(zoom - 1)}
            />
            <span className="slides-zoom" role="status">
              {Math.round(scale * 100)} %
            </span>
            <Tool
              icon="plus"
              label={t("slides.zoomIn")}
              testId="zoom-in"
              off={zoom === ZOOMS.length - 1}
              onClick={() => setZoom(zoom + 1)}
            />
          </>
        )}
        <Tool icon="swap" label={t("slides.swap")} testId="slides-swap" onClick={onSwap} />
        {!small && (
          <>
            <Tool
              icon="window"
              label={t(popped ? "slides.popIn" : "slides.popOut")}
              testId="slides-pop"
              onClick={pop}
            />
            <Tool
              icon="full"
              label={t(full ? "view.leaveFullScreen" : "view.fullScreen")}
              testId="slides-full"
              onClick={toggleFull}
            />
          </>
        )}
      </div>
    </section>
  );
}

interface ToolProps {
  icon: IconName;
  label: string;
  testId: string;
  off?: boolean;
  onClick(): void;
}

export function Tool({ icon, label, testId, off = false, onClick }: ToolProps) {
  return (
    <button
      type="button"
      className="tool"
      data-testid={testId}
      aria-label={label}
      title={label}
      disabled={off}
      onClick={onClick}
    >
      <Icon name={icon} size={20} />
    </button>
  );
}
