import { type CSSProperties, useEffect, useRef } from "react";

interface Props {
  track: MediaStreamTrack;
  testId: string;
  label: string;
  style?: CSSProperties;
}

/** A silent picture of one track. */
export function SelfPlaying({ track, testId, label, style }: Props) {
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
    <video ref={video} style={style} data-testid={testId} aria-label={label} autoPlay playsInline muted />
  );
}
