import { messageFor } from "../api/reasons";
import { t } from "../i18n";

/** A server's reason, in words for people. */
export function explain(reason: string): string {
  if (reason === "network") return t("reason.network");
  const key = messageFor(reason);
  return key ? t(key) : t("reason.unknown", { reason });
}
