import { type HTMLAttributes, useId } from "react";

interface Props {
  label: string;
  hint?: string;
  error?: string | undefined;
  testId: string;
  value: string;
  onChange(value: string): void;
  type?: "text" | "password";
  autoFocus?: boolean;
  autoComplete?: string;
  inputMode?: HTMLAttributes<HTMLInputElement>["inputMode"];
}

/** A labelled text field with hint and error. */
export function Field({ label, hint, error, testId, value, onChange, type = "text", ...rest }: Props) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={error ? "field has-error" : "field"}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type={type}
        data-testid={testId}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={error !== undefined}
        aria-describedby={note ? `${id}-note` : undefined}
        spellCheck={false}
        autoCapitalize="off"
        {...rest}
      />
      {note && (
        <span id={`${id}-note`} className={error ? "note error" : "note"} role={error ? "alert" : undefined}>
          {note}
        </span>
      )}
    </div>
  );
}
