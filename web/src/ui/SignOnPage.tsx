import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { Phase } from "../state/meeting";
import { EntryPage } from "./EntryPage";

interface Props {
  meeting: Meeting;
  phase: Extract<Phase, { kind: "providers" | "signOn" }>;
  onCancel(): void;
}

/** Where to sign on, and the step to there. */
export function SignOnPage({ meeting, phase, onCancel }: Props) {
  return (
    <EntryPage>
      <div className="card home" data-testid="sign-on">
        <h1>{t("signOn.title")}</h1>
        {phase.kind === "providers" ? (
          <>
            <p className="soft">{t("signOn.choose")}</p>
            {phase.providers.map((one) => (
              <button
                key={one.uuid}
                className="button wide"
                type="button"
                data-testid="provider"
                onClick={() => void meeting.chooseProvider(one.uuid)}
              >
                <bdi>{one.name}</bdi>
              </button>
            ))}
          </>
        ) : (
          <>
            <p className="soft" role="status">
              {t(phase.waiting ? "signOn.waiting" : "signOn.intro")}
            </p>
            <button
              className="button primary wide"
              type="button"
              data-testid="sign-on-go"
              disabled={phase.waiting}
              onClick={() => void meeting.signOn()}
            >
              {t("signOn.go", { name: phase.provider.name })}
            </button>
          </>
        )}
        <button className="button plain wide" type="button" onClick={onCancel}>
          {t("join.cancel")}
        </button>
      </div>
    </EntryPage>
  );
}
