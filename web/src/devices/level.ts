/** Loudness of a track, for the level meter. */

/** Root mean square of samples in -1…1, mapped to 0…1 over the 60 dB that speech lives in. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  if (rms <= 0) return 0;
  const decibels = 20 * Math.log10(rms);
  return Math.min(1, Math.max(0, (decibels + 60) / 60));
}

const INTERVAL = 60;

/** Nothing is played: no loudspeaker has to be there, or be woken, where the browser knows of this. */
const SILENT = { sinkId: { type: "none" } } as AudioContextOptions;

/** Report the level of `track` until the returned function is called. */
export function meter(track: MediaStreamTrack, report: (level: number) => void): () => void {
  const context = new AudioContext(SILENT);
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    // Without a gesture the browser may have held the context back.
    if (context.state === "suspended") void context.resume();
    analyser.getFloatTimeDomainData(samples);
    report(levelOf(samples));
  }, INTERVAL);
  return () => {
    clearInterval(timer);
    source.disconnect();
    void context.close();
  };
}
