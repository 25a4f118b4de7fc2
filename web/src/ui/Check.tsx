import { type FormEvent, useEffect, useRef, useState } from "react";
import type { LocalMedia } from "../devices/local";
import { recall } from "../devices/memory";
import { t } from "../i18n";
import { CheckPreview } from "./CheckPreview";
import { DeviceSettings } from "./DeviceSettings";
import { EntryPage } from "./EntryPage";
import { Field } from "./Field";
import { useLocal, useTitle } from "./hooks";

interface Props {
  alias: string;
  name: string | undefined;
  straight: boolean;
  newMedia(): LocalMedia;
  onJoin(media: LocalMedia, name: string): void;
  onBack(): void;
}

/** Before joining: see and hear yourself, choose devices, set your name. */
export function Check({ alias, name: given, straight, newMedia, onJoin, onBack }: Props) {
  const [media, setMedia] = useState(newMedia);
  const [name, setName] = useState(given ?? recall().name);
  const [tried, setTried] = useState(false);
  const joined = useRef(false);
  const local = useLocal(media);
  useTitle(`${alias} – ${t("app.name")}`);

  const join = (withDevices = true) => {
    setTried(true);
    if (!name.trim() || joined.current) return;
    joined.current = true;
    if (!withDevices) media.giveUp();
    onJoin(media, name.trim());
  };

  // Effects may run twice in development: devices released by the first run are opened by a new object.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs once per media object
  useEffect(() => {
    let current = true;
    if (media.released) {
      setMedia(newMedia());
      return;
    }
    void media.open().then(() => {
      if (current && straight && name.trim()) join();
    });
    return () => {
      current = false;
      if (!joined.current) media.release();
    };
  }, [media]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    join();
  };
  const nothing = !local.opening && !media.microphone && !media.camera && local.micFault !== undefined;

  return (
    <EntryPage wide>
      <form className="check" onSubmit={submit} noValidate>
        <CheckPreview media={media} local={local} />
        <div className="card check-side">
          <p className="soft small">{t("check.joining")}</p>
          <h1 className="check-alias">{alias}</h1>
          <Field
            label={t("home.name")}
            error={tried && !name.trim() ? t("home.nameMissing") : undefined}
            testId="home-name"
            value={name}
            onChange={setName}
            autoComplete="name"
          />
          <DeviceSettings media={media} local={local} />
          {nothing ? (
            <button
              className="button primary wide"
              type="button"
              data-testid="join"
              onClick={() => join(false)}
            >
              {t("check.joinWithout")}
            </button>
          ) : (
            <button className="button primary wide" type="submit" data-testid="join" disabled={local.opening}>
              {t("check.join")}
            </button>
          )}
          {local.opening && (
            <button
              className="button plain wide"
              type="button"
              data-testid="join-without"
              onClick={() => join(false)}
            >
              {t("check.joinWithout")}
            </button>
          )}
          <button className="button plain wide" type="button" onClick={onBack}>
            {t("check.back")}
          </button>
        </div>
      </form>
    </EntryPage>
  );
}
