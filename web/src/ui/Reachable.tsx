import { type FormEvent, useState, useSyncExternalStore } from "react";
import { type MessageKey, t } from "../i18n";
import { registration } from "../registration/ours";
import type { Phase } from "../registration/registration";
import { keep, kept } from "../registration/remembered";
import { allowNotifications } from "../registration/ringer";
import { Field } from "./Field";

const SAID: Readonly<Record<Phase, MessageKey>> = {
  off: "reachable.off",
  registering: "reachable.registering",
  registered: "reachable.registered",
  lost: "reachable.lost",
  refused: "reachable.refused",
  disabled: "reachable.disabled",
};

/** Registering this page, so that it can be called. */
export function Reachable() {
  const state = useSyncExternalStore(registration.store.subscribe, registration.store.get);
  const [known] = useState(kept);
  const [alias, setAlias] = useState(known?.alias ?? "");
  const [username, setUsername] = useState(known?.username ?? "");
  const [password, setPassword] = useState(known?.password ?? "");
  const [tried, setTried] = useState(false);
  const running = ["registering", "registered", "lost"].includes(state.phase);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (running) {
      keep(undefined);
      void registration.stop();
      return;
    }
    setTried(true);
    if (!alias.trim()) return;
    const credentials = { alias: alias.trim(), username: username.trim(), password };
    void allowNotifications();
    void registration.start(credentials).then((phase) => {
      if (phase !== "refused" && phase !== "disabled") keep(credentials);
    });
  };

  return (
    <form className="dialog-form reachable" onSubmit={submit} noValidate data-testid="reachable">
      <p className="soft small">{t("reachable.about")}</p>
      {!running && (
        <>
          <Field
            label={t("reachable.alias")}
            error={tried && !alias.trim() ? t("reachable.aliasMissing") : undefined}
            testId="reachable-alias"
            value={alias}
            onChange={setAlias}
            inputMode="email"
            autoComplete="off"
          />
          <div className="two-fields">
            <Field
              label={t("reachable.username")}
              testId="reachable-username"
              value={username}
              onChange={setUsername}
              autoComplete="username"
            />
            <Field
              label={t("reachable.password")}
              testId="reachable-password"
              value={password}
              onChange={setPassword}
              type="password"
              autoComplete="current-password"
            />
          </div>
        </>
      )}
      <div className="reachable-foot">
        <span
          className={`reachable-state ${state.phase}`}
          role="status"
          data-testid="reachable-state"
          data-phase={state.phase}
        >
          {t(SAID[state.phase], { alias: state.alias })}
        </span>
        <button
          className={running ? "button" : "button primary"}
          type="submit"
          data-testid="reachable-submit"
        >
          {t(running ? "reachable.stop" : "reachable.start")}
        </button>
      </div>
    </form>
  );
}
