import { isOrdinaryEnd } from "../api/reasons";
import { t } from "../i18n";
import type { Phase } from "../state/meeting";
import { EntryPage } from "./EntryPage";
import { Icon } from "./Icon";
import { explain } from "./reason";

interface Props {
  phase: Extract<Phase, { kind: "ended" | "failed" }>;
  onRejoin(): void;
  onRetry(): void;
  onHome(): void;
}

function titleFor(phase: Props["phase"]): string {
  if (phase.kind === "failed") return t("ended.failed");
  if (phase.left && phase.reason === "") return t("ended.left");
  return t(isOrdinaryEnd(phase.reason) ? "ended.over" : "ended.removed");
}

/** After the meeting, or instead of it. */
export function Ended({ phase, onRejoin, onRetry, onHome }: Props) {
  const failed = phase.kind === "failed";
  const calm = phase.kind === "ended" && (phase.left || isOrdinaryEnd(phase.reason));
  return (
    <EntryPage>
      <div className="card centred" data-testid="ended">
        <span className={calm ? "medal" : "medal warn"}>
          <Icon name={calm ? "check" : "warning"} size={30} />
        </span>
        <h1>{titleFor(phase)}</h1>
        {phase.reason !== "" && (
          <p className="soft" role="alert" data-testid="ended-reason" data-reason={phase.reason}>
            {explain(phase.reason)}
          </p>
        )}
        <button
          className="button primary wide"
          type="button"
          data-testid="rejoin"
          onClick={failed ? onRetry : onRejoin}
        >
          {t(failed ? "ended.retry" : "ended.rejoin")}
        </button>
        <button className="button plain wide" type="button" data-testid="go-home" onClick={onHome}>
          {t("ended.home")}
        </button>
      </div>
    </EntryPage>
  );
}
