/** A picture in a window of its own, for a second screen. */

export function popOut(track: MediaStreamTrack, title: string, onClose: () => void): Window | undefined {
  const opened = window.open("", "", "popup,width=1120,height=660");
  if (!opened) return undefined;
  const { document: page } = opened;
  page.title = title;
  page.documentElement.lang = document.documentElement.lang;
  Object.assign(page.body.style, { margin: "0", background: "#05070a", height: "100vh", overflow: "hidden" });
  const video = page.createElement("video");
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  video.setAttribute("aria-label", title);
  Object.assign(video.style, { width: "100%", height: "100%", objectFit: "contain" });
  video.srcObject = new MediaStream([track]);
  video.ondblclick = () => void (page.fullscreenElement ? page.exitFullscreen() : video.requestFullscreen());
  page.body.append(video);
  opened.addEventListener("pagehide", onClose);
  return opened;
}
