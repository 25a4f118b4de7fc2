// The official SDK in a page, unmodified: every signal is kept in `log`, calls are made from the test by name.
import { ClientCallType, createCallSignals, createInfinityClient, createInfinityClientSignals } from '@pexip/infinity';

const plain = value => {
  try {
    return JSON.parse(JSON.stringify(value ?? null));
  } catch {
    return String(value);
  }
};

window.log = [];
window.requests = [];
const record = signals => {
  for (const [name, signal] of Object.entries(signals)) {
    signal.add(value => window.log.push([name, plain(value)]));
  }
  return signals;
};

const fetched = window.fetch.bind(window);
window.fetch = async (input, init) => {
  const response = await fetched(input, init);
  window.requests.push([String(input.url ?? input).replace(/^.*\/api\/client\/v2/, ''), response.status]);
  return response;
};

const signals = record(createInfinityClientSignals([], {}));
const callSignals = record(createCallSignals([]));
const client = createInfinityClient(signals, callSignals);

callSignals.onRemoteStream.add(stream => {
  const video = document.querySelector('video') ?? document.body.appendChild(document.createElement('video'));
  video.muted = true;
  video.srcObject = stream;
  void video.play();
});
window.frames_seen = () => document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0;

callSignals.onRemotePresentationStream.add(stream => {
  const video = document.querySelector('#slides') ?? document.body.appendChild(document.createElement('video'));
  video.id = 'slides';
  video.muted = true;
  video.srcObject = stream;
  void video.play();
});
// Width, height and the colour in the middle of the presentation that is received.
window.slides_seen = () => {
  const video = document.querySelector('#slides');
  if (!video?.videoWidth) return null;
  const flat = document.createElement('canvas');
  flat.width = video.videoWidth;
  flat.height = video.videoHeight;
  const sight = flat.getContext('2d');
  sight.drawImage(video, 0, 0);
  return [flat.width, flat.height, ...sight.getImageData(flat.width / 2, flat.height / 2, 1, 1).data.slice(0, 3)];
};
window.present = colour => {
  const canvas = document.createElement('canvas');
  canvas.width = 1280;
  canvas.height = 720;
  const paint = canvas.getContext('2d', { alpha: false });
  let turn = 0;
  setInterval(() => {
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1280, 720);
    paint.fillStyle = turn++ % 2 ? '#fff' : '#000';
    paint.fillRect(4, 4, 16, 16);
  }, 66);
  client.present(canvas.captureStream(15));
};
window.stop_presenting = () => client.stopPresenting();

const camera = () => {
  const canvas = document.createElement('canvas');
  canvas.width = 320;
  canvas.height = 180;
  const paint = canvas.getContext('2d');
  setInterval(() => {
    paint.fillStyle = `hsl(${Date.now() / 20}, 80%, 50%)`;
    paint.fillRect(0, 0, 320, 180);
  }, 50);
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const sink = audio.createMediaStreamDestination();
  tone.connect(sink);
  tone.start();
  return new MediaStream([...canvas.captureStream(15).getTracks(), ...sink.stream.getTracks()]);
};

window.join = (conferenceAlias, displayName, options = {}) =>
  client.call({
    conferenceAlias,
    displayName,
    bandwidth: 0,
    callType: options.media ? ClientCallType.AudioVideoPresentation : ClientCallType.None,
    mediaStream: options.media ? camera() : undefined,
    pin: options.pin,
  });
window.act = async (name, ...args) => plain(await client[name](...args));

// The other side of the media, for pages that play the server.
const peers = new Map();
window.answer = async (call, offer) => {
  const known = peers.has(call);
  const peer = known ? peers.get(call) : new RTCPeerConnection();
  peers.set(call, peer);
  if (!known) {
    const stream = camera();
    peer.addTrack(stream.getAudioTracks()[0], stream);
    peer.addTrack(stream.getVideoTracks()[0], stream);
  }
  await peer.setRemoteDescription({ type: 'offer', sdp: offer });
  await peer.setLocalDescription();
  if (peer.iceGatheringState !== 'complete') {
    await new Promise(done => {
      peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && done();
    });
  }
  const contents = offer.split('\nm=').map(section => /a=content:\w+/.exec(section)?.[0]);
  return peer.localDescription.sdp
    .split('\r\nm=')
    .map((section, index) => (index && contents[index] ? `${section.trimEnd()}\r\n${contents[index]}` : section))
    .join('\r\nm=')
    .trimEnd()
    .concat('\r\n');
};
window.candidate = (call, sdpMid, candidate) => peers.get(call)?.addIceCandidate({ sdpMid, candidate });
