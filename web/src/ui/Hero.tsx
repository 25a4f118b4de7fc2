import { t } from "../i18n";

const HUES = [174, 205, 268, 22, 40, 318, 232];

/** The start page's picture: one speaker large, seven listeners small, as the conference shows them. */
export function Hero() {
  return (
    <section className="hero">
      <p className="hero-line">{t("app.tagline")}</p>
      <p className="soft hero-text">{t("home.about")}</p>
      <svg className="hero-art" viewBox="0 0 560 330" aria-hidden="true">
        <rect width="560" height="330" rx="24" className="art-frame" />
        <rect x="16" y="16" width="528" height="222" rx="14" className="art-main" />
        <clipPath id="hero-main">
          <rect x="16" y="16" width="528" height="222" rx="14" />
        </clipPath>
        <g clipPath="url(#hero-main)">
          <circle cx="280" cy="108" r="42" className="art-head" />
          <path d="M186 270c0-62 42-96 94-96s94 34 94 96Z" className="art-body" />
          <path
            d="M392 92q12 16 0 32M412 78q22 30 0 60M168 92q-12 16 0 32M148 78q-22 30 0 60"
            className="art-voice"
          />
        </g>
        {HUES.map((hue, index) => (
          <g key={hue} transform={`translate(${16 + index * 76} 252)`}>
            <rect width="72" height="62" rx="10" style={{ fill: `hsl(${hue} 30% 42%)` }} />
            <circle cx="36" cy="25" r="10" style={{ fill: `hsl(${hue} 40% 84%)` }} />
            <path d="M15 62c0-16 9-24 21-24s21 8 21 24Z" style={{ fill: `hsl(${hue} 40% 84%)` }} />
          </g>
        ))}
      </svg>
    </section>
  );
}
