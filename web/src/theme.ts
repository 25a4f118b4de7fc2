/** Light or dark: as the system has it, unless the user chose. */

const HTML_BACKGROUND = { light: "#f5f3ee", dark: "#10141b" };

export function applyTheme(chosen: "light" | "dark" | undefined): void {
  const root = document.documentElement;
  if (chosen) root.dataset.theme = chosen;
  else delete root.dataset.theme;
  for (const meta of document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]")) {
    const own = meta.media.includes("dark") ? "dark" : "light";
    meta.content = HTML_BACKGROUND[chosen ?? own];
  }
}
