import { type FormEvent, useState } from "react";
import { recall, remember } from "../devices/memory";
import { t } from "../i18n";
import { EntryPage } from "./EntryPage";
import { Field } from "./Field";
import { Hero } from "./Hero";
import { useTitle } from "./hooks";
import { Icon } from "./Icon";

interface Props {
  name: string | undefined;
  onContinue(alias: string, name: string): void;
}

/** The start page: which meeting, and under what name. */
export function Home({ name: given, onContinue }: Props) {
  const [known] = useState(recall);
  const [alias, setAlias] = useState("");
  const [name, setName] = useState(given ?? known.name);
  const [tried, setTried] = useState(false);
  useTitle(t("app.name"));

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!alias.trim() || !name.trim()) return;
    remember({ name: name.trim() });
    onContinue(alias.trim(), name.trim());
  };

  return (
    <EntryPage aside={<Hero />}>
      <form className="card home" onSubmit={submit} noValidate>
        <h1>{t("home.title")}</h1>
        <p className="soft">{t("home.intro")}</p>
        <Field
          label={t("home.alias")}
          hint={t("home.aliasHint")}
          error={tried && !alias.trim() ? t("home.aliasMissing") : undefined}
          testId="home-alias"
          value={alias}
          onChange={setAlias}
          autoFocus
          inputMode="email"
          autoComplete="off"
        />
        <Field
          label={t("home.name")}
          hint={t("home.nameHint")}
          error={tried && !name.trim() ? t("home.nameMissing") : undefined}
          testId="home-name"
          value={name}
          onChange={setName}
          autoComplete="name"
        />
        <button className="button primary wide" type="submit" data-testid="home-continue">
          {t("home.continue")}
          <Icon name="arrow" size={18} />
        </button>
        {known.recent.length > 0 && (
          <div className="recent">
            <span className="soft small">{t("home.recent")}</span>
            {known.recent.map((visited) => (
              <button key={visited} className="chip" type="button" onClick={() => setAlias(visited)}>
                {visited}
              </button>
            ))}
          </div>
        )}
      </form>
    </EntryPage>
  );
}
