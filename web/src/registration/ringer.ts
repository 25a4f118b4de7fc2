/** The sound and the notification of a call that comes in. */

const CHORD = [523.25, 659.25];
const BURST = 0.4;
const EVERY = 3;
/** Bursts are planned ahead, because timers of a hidden page are slow. */
const AHEAD = 12;

/** Rings until the returned function is called. Browsers are silent on a page that nobody has touched yet. */
export function ring(): () => void {
  const context = new AudioContext();
  const volume = context.createGain();
  volume.gain.value = 0.25;
  volume.connect(context.destination);
  for (let burst = 0; burst < AHEAD; burst += 1) {
    for (const half of [0, BURST + 0.1]) plan(context, volume, context.currentTime + burst * EVERY + half);
  }
  void context.resume().catch((error: unknown) => console.info("ringing without sound", error));
  return () => void context.close();
}

function plan(context: AudioContext, output: AudioNode, start: number): void {
  const gain = context.createGain();
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(1, start + 0.03);
  gain.gain.setValueAtTime(1, start + BURST - 0.08);
  gain.gain.linearRampToValueAtTime(0, start + BURST);
  gain.connect(output);
  for (const frequency of CHORD) {
    const oscillator = context.createOscillator();
    oscillator.frequency.value = frequency;
    oscillator.connect(gain);
    oscillator.start(start);
    oscillator.stop(start + BURST);
  }
}

/** To be called for a click. */
export async function allowNotifications(): Promise<void> {
  if (!("Notification" in window) || Notification.permission !== "default") return;
  await Notification.requestPermission();
}

/** Tells of a call outside of the page, if that is allowed and the page is not seen; returns how to take it back. */
export function notify(title: string, body: string): () => void {
  if (!("Notification" in window) || Notification.permission !== "granted" || !document.hidden)
    return () => undefined;
  try {
    const shown = new Notification(title, { body, tag: "rostra-call", requireInteraction: true });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
    return () => shown.close();
  } catch (error) {
    console.info("no notification", error); // Some mobile browsers only let service workers do it.
    return () => undefined;
  }
}
