import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { Conference } from "./Conference";
import { Ended } from "./Ended";
import { ExtensionPage } from "./ExtensionPage";
import { useMeeting, useTitle } from "./hooks";
import { Joining } from "./Joining";
import { PinPage } from "./PinPage";
import { SignOnPage } from "./SignOnPage";

interface Props {
  meeting: Meeting;
  onRejoin(): void;
  onHome(): void;
}

/** Chooses the page for where the visit stands. */
export function MeetingPage({ meeting, onRejoin, onHome }: Props) {
  const { phase, service } = useMeeting(meeting);
  useTitle(`${service.name || meeting.alias} – ${t("app.name")}`);
  const cancel = () => {
    void meeting.leave();
    onHome();
  };
  switch (phase.kind) {
    case "joining":
      return <Joining alias={meeting.alias} to={phase.to} onCancel={cancel} />;
    case "pin":
      return <PinPage meeting={meeting} phase={phase} onCancel={cancel} />;
    case "extension":
      return <ExtensionPage meeting={meeting} wrong={phase.wrong} onCancel={cancel} />;
    case "providers":
    case "signOn":
      return <SignOnPage meeting={meeting} phase={phase} onCancel={cancel} />;
    case "active":
      return <Conference meeting={meeting} />;
    case "ended":
    case "failed":
      return <Ended phase={phase} onRejoin={onRejoin} onRetry={() => void meeting.join()} onHome={cancel} />;
  }
}
