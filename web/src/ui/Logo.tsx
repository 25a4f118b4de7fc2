import { branding } from "../branding/branding";

/** The mark: a speaker above a rostrum; or that of the branding. */
export function Logo({ size = 32, wordmark = true }: { size?: number; wordmark?: boolean }) {
  const { files, applicationName = "Rostra" } = branding();
  if (files.includes("logo.png")) {
    return (
      <span className="logo brand-logo" role="img" aria-label={applicationName} style={{ height: size }} />
    );
  }
  return (
    <span className="logo">
      <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" className="logo-ground" />
        <circle cx="16" cy="8.6" r="3.6" className="logo-head" />
        <path d="M6 13.5h20c0 4.2-3 7.1-6.4 8.2V26h-7.2v-4.3C9 20.6 6 17.7 6 13.5Z" className="logo-stand" />
      </svg>
      {wordmark && <span className="logo-word">{applicationName}</span>}
    </span>
  );
}
