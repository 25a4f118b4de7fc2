import { useEffect, useRef } from "react";

interface Props {
  track: MediaStreamTrack;
  label: string;
}

/** The own camera, mirrored as in a mirror. */
export function SelfView({ track, label }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = new MediaStream([track]);
    return () => {
      element.srcObject = null;
    };
  }, [track]);
  return (
    <video
      ref={video}
      className="self-video"
      data-testid="self-video"
      aria-label={label}
      autoPlay
      playsInline
      muted
    />
  );
}
