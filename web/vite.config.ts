/**
 * One self-contained file, `einthoven/page/page.html`: style and script in it, and a policy that names
 * them by their SHA-256 and forbids every request. No plug-in is needed for that.
 */
import { createHash } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

import { defineConfig, type Plugin } from "vite";

const OUT = process.env.EINTHOVEN_PAGE_OUT ?? resolve(__dirname, "../einthoven/page/page.html");

function sha256(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

function policy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src ${sha256(script)}`,
    `style-src ${sha256(style)}`,
    "img-src data:",
    "connect-src 'none'", // `einthoven serve` alone turns this into 'self' (einthoven/page)
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** Of Espressif's stubs, 140 KB, those of the chips that there are boards for (src/flash/esp.ts). */
const stubs: Plugin = {
  name: "stubs",
  enforce: "pre",
  load: (id) => (/\/stub_flasher\/(?!esp32(c3)?\.json)/.test(id) ? "{}" : null),
};

const oneFile: Plugin = {
  name: "one-file",
  enforce: "post",
  generateBundle(_, bundle) {
    const parts = Object.values(bundle);
    const chunk = parts.find((part) => part.type === "chunk");
    const css = parts.find((part) => part.type === "asset" && part.fileName.endsWith(".css"));
    const html = parts.find((part) => part.type === "asset" && part.fileName.endsWith(".html"));
    if (chunk?.type !== "chunk" || css?.type !== "asset" || html?.type !== "asset") throw new Error("nothing was built");
    // Vite's mark for what to load before a dynamic import; here everything is in one chunk.
    const script = chunk.code.replaceAll("__VITE_PRELOAD__", "void 0").trim().replaceAll("</script", "<\\/script");
    const style = String(css.source).trim();
    const page = String(html.source)
      .replace(/\s*<script[^>]*type="module"[^>]*><\/script>/, "")
      .replace(/\s*<link[^>]*rel="stylesheet"[^>]*>/, "")
      .replace("<head>", () => `<head>\n    <meta http-equiv="Content-Security-Policy" content="${policy(script, style)}" />`)
      .replace("</head>", () => `  <style>${style}</style>\n  </head>`)
      .replace("</body>", () => `  <script type="module">${script}</script>\n  </body>`);
    for (const name of Object.keys(bundle)) Reflect.deleteProperty(bundle, name);
    writeFileSync(`${OUT}.new`, page);
    renameSync(`${OUT}.new`, OUT);
  },
  closeBundle() {
    rmSync(resolve(__dirname, "dist"), { recursive: true, force: true });
  },
};

export default defineConfig({
  plugins: [stubs, oneFile],
  resolve: { alias: { pako: resolve(__dirname, "src/flash/pako.ts") } },
  build: {
    target: "es2022",
    cssCodeSplit: false,
    modulePreload: false,
    assetsInlineLimit: 1e6,
    reportCompressedSize: false,
    rollupOptions: { output: { inlineDynamicImports: true } },
  },
});
