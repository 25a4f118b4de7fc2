import { useState } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { Field } from "./Field";
import { FormDialog } from "./FormDialog";

const isAddress = (text: string) => /^rtmps?:\/\/\S+$/i.test(text.trim());

/** Send the meeting to a streaming or recording service. */
export function StreamDialog({ meeting, onClose }: { meeting: Meeting; onClose(): void }) {
  const [address, setAddress] = useState("");
  const [slides, setSlides] = useState("");
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  const start = async () => {
    setTried(true);
    if (!isAddress(address) || (slides.trim() && !isAddress(slides))) return false;
    return meeting.act((api) =>
      api.dial({
        destination: address.trim(),
        protocol: "rtmp",
        role: "GUEST",
        streaming: "yes",
        remote_display_name: name.trim() || t("stream.live"),
        ...(slides.trim() ? { presentation_url: slides.trim() } : {}),
      }),
    );
  };
  return (
    <FormDialog
      title={t("stream.title")}
      intro={t("stream.intro")}
      submit={t("stream.submit")}
      onSubmit={start}
      onClose={onClose}
    >
      <Field
        label={t("stream.url")}
        hint={t("stream.urlHint")}
        error={tried && !isAddress(address) ? t("stream.invalid") : undefined}
        testId="stream-address"
        value={address}
        onChange={setAddress}
        inputMode="url"
        autoComplete="off"
        autoFocus
      />
      <Field
        label={t("stream.slides")}
        error={tried && slides.trim() && !isAddress(slides) ? t("stream.invalid") : undefined}
        testId="stream-slides"
        value={slides}
        onChange={setSlides}
        inputMode="url"
        autoComplete="off"
      />
      <Field
        label={t("stream.name")}
        testId="stream-name"
        value={name}
        onChange={setName}
        autoComplete="off"
      />
    </FormDialog>
  );
}
