/** PDF files. Its own part of the app: fetched only when somebody shares one. */

import * as pdf from "pdfjs-dist";
import workerAddress from "pdfjs-dist/build/pdf.worker.min.mjs?url";
import { type Pages, placed } from "./document";

pdf.GlobalWorkerOptions.workerSrc = workerAddress;

export async function openPdf(data: ArrayBuffer): Promise<Pages> {
  const loading = pdf.getDocument({ data, isEvalSupported: false, useWasm: false });
  const opened = await loading.promise;
  return {
    count: opened.numPages,
    async draw(index, canvas) {
      const page = await opened.getPage(index + 1);
      const natural = page.getViewport({ scale: 1 });
      const place = placed(natural.width, natural.height);
      const viewport = page.getViewport({ scale: place.scale });
      // Drawn beside and put in place at once: nobody sees half a page.
      const sheet = document.createElement("canvas");
      sheet.width = Math.round(place.width);
      sheet.height = Math.round(place.height);
      await page.render({ canvas: sheet, viewport }).promise;
      const paint = canvas.getContext("2d");
      if (!paint) return;
      paint.fillStyle = "#3a3f47";
      paint.fillRect(0, 0, canvas.width, canvas.height);
      paint.drawImage(sheet, Math.round(place.x), Math.round(place.y));
      page.cleanup();
    },
    close: () => void loading.destroy(),
  };
}
