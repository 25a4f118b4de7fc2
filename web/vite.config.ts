import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { de } from "./src/i18n/de";
import { en } from "./src/i18n/en";
import { fr } from "./src/i18n/fr";

/** All texts as files, for those who write a branding package. */
function textsForBranding(): Plugin {
  return {
    name: "texts-for-branding",
    generateBundle() {
      for (const [language, texts] of Object.entries({ en, de, fr })) {
        const source = `${JSON.stringify(texts, null, 2)}\n`;
        this.emitFile({ type: "asset", fileName: `branding_default/locales/${language}.json`, source });
      }
    },
  };
}

// The node serves dist/ at "/" and answers every client-side route with index.html, so assets are addressed from the root.
export default defineConfig({
  plugins: [react(), textsForBranding()],
  base: "/",
  build: { target: "es2022", sourcemap: false, chunkSizeWarningLimit: 500 },
  server: {
    proxy: { "/api": { target: process.env.ROSTRA_NODE ?? "http://localhost:8090", secure: false } },
  },
  test: { environment: "node", testTimeout: 20_000, include: ["test/**/*.test.{ts,tsx}"] },
});
