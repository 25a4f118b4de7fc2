import type { LocalState } from "../devices/local";
import { t } from "../i18n";
import { Icon } from "./Icon";

/** What is wrong with the devices, in words, with a way to try again. */
export function Faults({ local, onRetry }: { local: LocalState; onRetry(): void }) {
  if (!local.micFault && !local.cameraFault) return null;
  return (
    <div className="faults" role="alert" data-testid="device-faults">
      <Icon name="warning" />
      <div>
        {local.micFault && <p>{t("fault.mic", { problem: t(`fault.${local.micFault}`) })}</p>}
        {local.cameraFault && <p>{t("fault.camera", { problem: t(`fault.${local.cameraFault}`) })}</p>}
      </div>
      <button className="button small-button" type="button" onClick={onRetry}>
        {t("fault.retry")}
      </button>
    </div>
  );
}
