/** The user's own microphone and camera: opened, chosen, muted, with what went wrong kept for the screen. */

import { type DeviceFault, faultOf } from "./faults";

export interface LocalState {
  micMuted: boolean;
  /** The camera is wanted; false after the user switched it off. */
  cameraWanted: boolean;
  micFault: DeviceFault | undefined;
  cameraFault: DeviceFault | undefined;
  micId: string | undefined;
  cameraId: string | undefined;
  speakerId: string | undefined;
  devices: readonly MediaDeviceInfo[];
  opening: boolean;
}

const CAMERA: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
};
const FULL_HD_CAMERA: MediaTrackConstraints = {
  ...CAMERA,
  width: { ideal: 1920 },
  height: { ideal: 1080 },
};
const MICROPHONE: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

/** Faults that another device helps against. */
const GONE: ReadonlySet<DeviceFault> = new Set(["unplugged", "missing"]);

type Opened = { track: MediaStreamTrack } | { fault: DeviceFault };

/** Asked anew each time: tests and embedders may replace getUserMedia. */
async function open(base: MediaTrackConstraints, deviceId: string | undefined): Promise<Opened> {
  const kind = base === MICROPHONE ? "audio" : "video";
  const constraints = deviceId ? { ...base, deviceId: { ideal: deviceId } } : base;
  try {
    if (!navigator.mediaDevices) return { fault: "insecure" };
    const stream = await navigator.mediaDevices.getUserMedia({ [kind]: constraints });
    const track = stream.getTracks().find((candidate) => candidate.kind === kind);
    for (const other of stream.getTracks()) if (other !== track) other.stop();
    return track ? { track } : { fault: "missing" };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

export class LocalMedia {
  state: LocalState;
  microphone: MediaStreamTrack | undefined;
  camera: MediaStreamTrack | undefined;
  released = false;
  private wanted = CAMERA;
  private readonly watched = new Set<string>();
  private readonly listeners = new Set<() => void>();

  constructor(remembered: Partial<LocalState> = {}) {
    this.state = {
      micMuted: false,
      cameraWanted: true,
      micFault: undefined,
      cameraFault: undefined,
      micId: undefined,
      cameraId: undefined,
      speakerId: undefined,
      devices: [],
      opening: false,
      ...remembered,
    };
  }

  get tracks() {
    return { microphone: this.microphone, camera: this.camera };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  getState = (): LocalState => this.state;

  private set(change: Partial<LocalState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of [...this.listeners]) listener();
  }

  /** Open both devices, asking for permission once where the browser can; each may fail on its own. */
  async open(): Promise<void> {
    this.set({ opening: true });
    if (!(await this.openTogether())) {
      await this.openMicrophone();
      if (this.state.cameraWanted) await this.openCamera();
    }
    await this.listDevices();
    this.set({ opening: false });
    if (this.released) return;
    navigator.mediaDevices?.addEventListener?.("devicechange", this.changed);
    void this.watchPermissions();
  }

  /** One request for both gives one permission prompt. False when it failed and each must be tried alone. */
  private async openTogether(): Promise<boolean> {
    if (!navigator.mediaDevices || !this.state.cameraWanted) return false;
    const { micId, cameraId } = this.state;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: micId ? { ...MICROPHONE, deviceId: { ideal: micId } } : MICROPHONE,
        video: cameraId ? { ...this.wanted, deviceId: { ideal: cameraId } } : this.wanted,
      });
      this.takeMicrophone(stream.getAudioTracks()[0]);
      this.takeCamera(stream.getVideoTracks()[0]);
      return this.microphone !== undefined && this.camera !== undefined;
    } catch {
      return false; // Why is told by the separate attempts.
    }
  }

  async chooseMicrophone(micId: string): Promise<void> {
    this.set({ micId });
    await this.openMicrophone();
  }

  async chooseCamera(cameraId: string): Promise<void> {
    this.set({ cameraId, cameraWanted: true });
    await this.openCamera();
  }

  /** From now on the camera is wanted in 1080p, or no better than 720p; what it cannot do it need not. */
  async askFullHd(wanted: boolean): Promise<void> {
    const constraints = wanted ? FULL_HD_CAMERA : CAMERA;
    if (constraints === this.wanted) return;
    this.wanted = constraints;
    try {
      await this.camera?.applyConstraints(constraints);
    } catch (error) {
      console.info("the camera stays as it is", error);
    }
  }

  chooseSpeaker(speakerId: string): void {
    this.set({ speakerId });
  }

  async setMicMuted(micMuted: boolean): Promise<void> {
    if (!micMuted && !this.microphone) await this.openMicrophone();
    if (this.microphone) this.microphone.enabled = !micMuted;
    this.set({ micMuted });
  }

  /** Switching off really stops the camera, so that its light goes out. */
  async setCameraWanted(cameraWanted: boolean): Promise<void> {
    if (cameraWanted) {
      this.set({ cameraWanted });
      await this.openCamera();
      return;
    }
    this.camera?.stop();
    this.camera = undefined;
    this.set({ cameraWanted, cameraFault: undefined });
  }

  /** Join without devices: whatever was opened is closed, and the switches show "off". */
  giveUp(): void {
    this.stopTracks();
    this.set({ micMuted: true, cameraWanted: false });
  }

  release(): void {
    this.released = true;
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.changed);
    this.stopTracks();
  }

  private stopTracks(): void {
    this.microphone?.stop();
    this.camera?.stop();
    this.microphone = undefined;
    this.camera = undefined;
  }

  private async openMicrophone(): Promise<void> {
    const opened = await open(MICROPHONE, this.state.micId);
    if ("fault" in opened) this.set({ micFault: opened.fault });
    else this.takeMicrophone(opened.track);
  }

  private async openCamera(): Promise<void> {
    let opened = await open(this.wanted, this.state.cameraId);
    if ("fault" in opened && opened.fault === "busy" && this.camera) {
      // Many phones have only one camera open at a time: ours makes room for the other.
      this.camera.stop();
      this.camera = undefined;
      opened = await open(this.wanted, this.state.cameraId);
    }
    if ("fault" in opened) this.set({ cameraFault: opened.fault });
    else this.takeCamera(opened.track);
  }

  private takeMicrophone(track: MediaStreamTrack | undefined): void {
    if (!track) return;
    if (this.released) {
      track.stop();
      return;
    }
    this.microphone?.stop();
    this.microphone = track;
    track.enabled = !this.state.micMuted;
    track.addEventListener("ended", () => this.ended("mic", track));
    this.set({ micFault: undefined });
  }

  private takeCamera(track: MediaStreamTrack | undefined): void {
    if (!track) return;
    if (this.released || !this.state.cameraWanted) {
      track.stop(); // Switched off again, or left, while it was opening.
      return;
    }
    this.camera?.stop();
    this.camera = track;
    track.addEventListener("ended", () => this.ended("camera", track));
    this.set({ cameraFault: undefined });
  }

  /** Unplugged, or taken away by the system. */
  private ended(which: "mic" | "camera", track: MediaStreamTrack): void {
    if (which === "mic" && this.microphone === track) {
      this.microphone = undefined;
      this.set({ micFault: "unplugged" });
      void this.changed();
    }
    if (which === "camera" && this.camera === track) {
      this.camera = undefined;
      this.set({ cameraFault: "unplugged" });
      void this.changed();
    }
  }

  /** Devices came or went: take what there is in place of what is gone. */
  private changed = async (): Promise<void> => {
    await this.listDevices();
    const { devices, micFault, cameraFault, cameraWanted } = this.state;
    const there = (kind: MediaDeviceKind) => !this.released && devices.some((device) => device.kind === kind);
    if (micFault && GONE.has(micFault) && there("audioinput")) await this.openMicrophone();
    if (cameraFault && GONE.has(cameraFault) && cameraWanted && there("videoinput")) await this.openCamera();
  };

  /** What was blocked and is allowed now is opened without being asked again. */
  private async watchPermissions(): Promise<void> {
    await this.watchPermission("microphone", () => {
      if (this.state.micFault === "denied") void this.openMicrophone();
    });
    await this.watchPermission("camera", () => {
      if (this.state.cameraFault === "denied" && this.state.cameraWanted) void this.openCamera();
    });
  }

  private async watchPermission(name: "microphone" | "camera", granted: () => void): Promise<void> {
    if (this.watched.has(name) || !navigator.permissions) return;
    this.watched.add(name);
    try {
      const permission = await navigator.permissions.query({ name: name as PermissionName });
      permission.onchange = () => {
        if (permission.state === "granted" && !this.released) granted();
      };
    } catch (error) {
      console.info("the browser does not tell when a device is allowed", error);
    }
  }

  private listDevices = async (): Promise<void> => {
    try {
      this.set({ devices: (await navigator.mediaDevices?.enumerateDevices()) ?? [] });
    } catch (error) {
      console.warn("devices cannot be listed", error);
    }
  };
}
