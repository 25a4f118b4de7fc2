import { useId } from "react";

interface Props<T extends string> {
  label: string;
  testId: string;
  value: T;
  options: readonly (readonly [NoInfer<T>, string])[];
  note?: string;
  onChange(value: NoInfer<T>): void;
}

/** A labelled choice out of a few. */
export function Choice<T extends string>({ label, testId, value, options, note, onChange }: Props<T>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        data-testid={testId}
        value={value}
        aria-describedby={note ? `${id}-note` : undefined}
        onChange={(event) => onChange(event.target.value as T)}
      >
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
      {note && (
        <span id={`${id}-note`} className="note">
          {note}
        </span>
      )}
    </div>
  );
}
