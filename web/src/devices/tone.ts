/** A short pleasant chime on the chosen speaker. */

/** An element that may be told which speaker to use (not in every browser). */
export type Sink = HTMLMediaElement & { setSinkId?: (id: string) => Promise<void> };

export async function routeToSpeaker(element: Sink, id: string | undefined): Promise<void> {
  if (!element.setSinkId) return;
  try {
    await element.setSinkId(id ?? "");
  } catch (error) {
    console.warn("speaker cannot be used", error);
  }
}

const NOTES = [523.25, 659.25, 783.99];
const NOTE = 0.28;

export async function playTestTone(speakerId: string | undefined): Promise<void> {
  const context = new AudioContext();
  const output = context.createMediaStreamDestination();
  NOTES.forEach((frequency, index) => {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    const start = context.currentTime + 0.1 + index * NOTE;
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.3, start + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.001, start + NOTE * 2);
    oscillator.connect(gain).connect(output);
    oscillator.start(start);
    oscillator.stop(start + NOTE * 2);
  });
  const element: Sink = new Audio();
  element.srcObject = output.stream;
  await routeToSpeaker(element, speakerId);
  await element.play();
  await new Promise((resolve) => setTimeout(resolve, (NOTES.length + 2) * NOTE * 1000));
  element.pause();
  element.srcObject = null;
  await context.close();
}
