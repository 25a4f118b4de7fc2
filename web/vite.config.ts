import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The node serves dist/ at "/" and answers every client-side route with index.html, so assets are addressed from the root.
export default defineConfig({
  plugins: [react()],
  base: "/",
  build: { target: "es2022", sourcemap: false, chunkSizeWarningLimit: 500 },
  server: {
    proxy: { "/api": { target: process.env.ROSTRA_NODE ?? "http://localhost:8090", secure: false } },
  },
  test: { environment: "node", include: ["test/**/*.test.ts"] },
});
