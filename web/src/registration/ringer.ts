/** The sounds of calls that come in and go out, and the notification of a call that comes in. */

/** So long, again so soon, in seconds; halves begin one after the other. */
interface Cadence {
  tones: readonly number[];
  burst: number;
  halves: readonly number[];
  every: number;
  volume: number;
}

const CALLED: Cadence = { tones: [523.25, 659.25], burst: 0.4, halves: [0, 0.5], every: 3, volume: 0.25 };
/** What a telephone lets its caller hear while it rings at the other end. */
const CALLING: Cadence = { tones: [425], burst: 1, halves: [0], every: 4, volume: 0.1 };
/** Bursts are planned ahead, because timers of a hidden page are slow. */
const AHEAD = 12;

/** Rings until the returned function is called. Browsers are silent on a page that nobody has touched yet. */
export function ring(): () => void {
  return play(CALLED);
}

/** It rings at the other end, until the returned function is called. */
export function ringBack(): () => void {
  return play(CALLING);
}

function play(cadence: Cadence): () => void {
  const context = new AudioContext();
  const volume = context.createGain();
  volume.gain.value = cadence.volume;
  volume.connect(context.destination);
  for (let burst = 0; burst < AHEAD; burst += 1) {
    for (const half of cadence.halves)
      plan(context, volume, context.currentTime + burst * cadence.every + half, cadence);
  }
  void context.resume().catch((error: unknown) => console.info("ringing without sound", error));
  return () => void context.close();
}

function plan(context: AudioContext, output: AudioNode, start: number, { tones, burst }: Cadence): void {
  const gain = context.createGain();
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(1, start + 0.03);
  gain.gain.setValueAtTime(1, start + burst - 0.08);
  gain.gain.linearRampToValueAtTime(0, start + burst);
  gain.connect(output);
  for (const frequency of tones) {
    const oscillator = context.createOscillator();
    oscillator.frequency.value = frequency;
    oscillator.connect(gain);
    oscillator.start(start);
    oscillator.stop(start + burst);
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
