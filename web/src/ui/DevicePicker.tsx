import { type ReactNode, useId } from "react";
import { t } from "../i18n";
import { Icon, type IconName } from "./Icon";

interface Props {
  icon: IconName;
  label: string;
  testId: string;
  devices: readonly MediaDeviceInfo[];
  chosen: string | undefined;
  /** Shown when the browser lists none. */
  fallback?: string;
  onChoose(id: string): void;
  children?: ReactNode;
}

/** One device choice with its icon. */
export function DevicePicker({ icon, label, testId, devices, chosen, fallback, onChoose, children }: Props) {
  const id = useId();
  const known = devices.some((device) => device.deviceId === chosen);
  return (
    <div className="picker">
      <label htmlFor={id} title={label}>
        <Icon name={icon} size={20} />
        <span className="hidden">{label}</span>
      </label>
      <select
        id={id}
        data-testid={`choose-${testId}`}
        value={known ? chosen : ""}
        disabled={devices.length === 0}
        onChange={(event) => onChoose(event.target.value)}
      >
        {!known && (
          <option value="">{devices.length > 0 ? t("check.default") : (fallback ?? t("check.none"))}</option>
        )}
        {devices.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
      {children}
    </div>
  );
}
