/** Pictures and PDF files, page by page on a canvas that is presented as video. */

import type { Source } from "../meeting/presenting";

/** Pages that can be drawn. */
export interface Pages {
  readonly count: number;
  /** Draw page `index` (from 0) as large as fits, on white. */
  draw(index: number, canvas: HTMLCanvasElement): Promise<void>;
  close(): void;
}

export type DocumentFault = "tooLarge" | "unreadable" | "outdated";

export const MOST_BYTES = 100 * 1024 * 1024;
const SIZE = { width: 1920, height: 1080 };
/** A still canvas gives no frames, but whoever comes later needs some. */
const REPAINT = 400;

/** Where a picture of `width`×`height` lies, centred and whole, within the canvas. */
export function placed(width: number, height: number, into: { width: number; height: number } = SIZE) {
  const scale = Math.min(into.width / width, into.height / height);
  const [w, h] = [width * scale, height * scale];
  return { x: (into.width - w) / 2, y: (into.height - h) / 2, width: w, height: h, scale };
}

export class DocumentShare implements Source {
  readonly kind = "document";
  readonly track: MediaStreamTrack;
  readonly canvas: HTMLCanvasElement;
  readonly name: string;
  private readonly pages: Pages;
  private readonly timer: ReturnType<typeof setInterval>;
  private at = 0;
  private drawing: Promise<void> = Promise.resolve();
  private readonly listeners = new Set<() => void>();

  private constructor(pages: Pages, name: string) {
    this.pages = pages;
    this.name = name;
    this.canvas = document.createElement("canvas");
    Object.assign(this.canvas, SIZE);
    // Asked for before the stream, without which some browsers give none.
    this.canvas.getContext("2d", { alpha: false });
    const track = this.canvas.captureStream(10).getVideoTracks()[0];
    if (!track) throw new Error("the browser gives no video of a canvas");
    track.contentHint = "detail";
    this.track = track;
    let turn = 0;
    this.timer = setInterval(() => {
      const paint = this.canvas.getContext("2d");
      if (!paint) return;
      turn = 1 - turn;
      paint.fillStyle = turn ? "#fefefe" : "#fdfdfd";
      paint.fillRect(0, 0, 2, 2);
    }, REPAINT);
  }

  static async open(file: File): Promise<DocumentShare | DocumentFault> {
    if (file.size > MOST_BYTES) return "tooLarge";
    try {
      const share = new DocumentShare(await pagesOf(file), file.name);
      await share.go(0);
      return share;
    } catch (error) {
      console.warn("document not readable", error);
      // A part of the app that is fetched when needed is gone: this page is older than the server.
      return error instanceof TypeError && /import/i.test(error.message) ? "outdated" : "unreadable";
    }
  }

  get page(): number {
    return this.at;
  }

  get count(): number {
    return this.pages.count;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  go(page: number): Promise<void> {
    if (page < 0 || page >= this.count) return Promise.resolve();
    this.at = page;
    for (const listener of [...this.listeners]) listener();
    // One after the other, and only the last when many are asked for at once.
    this.drawing = this.drawing.then(async () => {
      if (page === this.at) await this.pages.draw(page, this.canvas);
    });
    return this.drawing;
  }

  close(): void {
    clearInterval(this.timer);
    this.track.stop();
    this.pages.close();
  }
}

async function pagesOf(file: File): Promise<Pages> {
  if (file.type === "application/pdf" || /\.pdf$/i.test(file.name)) {
    const { openPdf } = await import("./pdf");
    return openPdf(await file.arrayBuffer());
  }
  const picture = await createImageBitmap(file);
  return {
    count: 1,
    async draw(_index, canvas) {
      const paint = canvas.getContext("2d");
      if (!paint) return;
      paint.fillStyle = "#ffffff";
      paint.fillRect(0, 0, canvas.width, canvas.height);
      const { x, y, width, height } = placed(picture.width, picture.height);
      paint.imageSmoothingQuality = "high";
      paint.drawImage(picture, x, y, width, height);
    },
    close: () => picture.close(),
  };
}
