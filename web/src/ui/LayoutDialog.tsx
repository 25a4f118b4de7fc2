import { useEffect, useId, useState } from "react";
import type { LayoutChange } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { hasOwnMix, layoutOf, type MeetingState, mayChooseOwnLayout, ownLayoutOf } from "../state/meeting";
import { Dialog } from "./Dialog";

interface Props {
  meeting: Meeting;
  state: MeetingState;
  onClose(): void;
}

/** Choose how everybody is shown, and whether names are. */
export function LayoutDialog({ meeting, state, onClose }: Props) {
  const [names, setNames] = useState<string[]>();
  const [pictures, setPictures] = useState<Readonly<Record<string, string>>>({});
  useEffect(() => {
    void meeting.read((api) => api.layouts()).then((found) => setNames(found ?? []));
    void meeting.read((api) => api.layoutPictures()).then((found) => setPictures(found ?? {}));
  }, [meeting]);
  const host = state.role === "HOST";
  const both = host && mayChooseOwnLayout(state);
  const [mine, setMine] = useState(!host || hasOwnMix(state));
  const shared = { meeting, state, names: names ?? [], pictures };
  return (
    <Dialog title={t("layout.title")} onClose={onClose} wide>
      {both && (
        <fieldset className="tabs" aria-label={t("layout.whose")}>
          {[false, true].map((own) => (
            <button
              key={String(own)}
              type="button"
              className="tab"
              data-testid={own ? "layout-mine" : "layout-all"}
              aria-pressed={mine === own}
              onClick={() => setMine(own)}
            >
              {t(own ? "layout.onlyMine" : "layout.everybody")}
            </button>
          ))}
        </fieldset>
      )}
      {names?.length === 0 && <p className="soft">{t("layout.none")}</p>}
      {mine ? <OwnLayout {...shared} /> : <SharedLayout {...shared} />}
    </Dialog>
  );
}

interface Parts {
  meeting: Meeting;
  state: MeetingState;
  names: readonly string[];
  pictures: Readonly<Record<string, string>>;
}

/** What only we are sent. */
function OwnLayout({ meeting, state, names, pictures }: Parts) {
  const own = hasOwnMix(state);
  const choose = (name: string | undefined) => void meeting.act((api) => api.ownLayout(name, !own));
  return (
    <>
      <Layouts
        title={t("layout.onlyMine")}
        names={names}
        pictures={pictures}
        chosen={ownLayoutOf(state)}
        onChoose={choose}
      />
      <div className="dialog-row">
        <p className="soft small">{t("layout.ownNote")}</p>
        {own && (
          <button
            className="link"
            type="button"
            data-testid="layout-as-all"
            onClick={() => choose(undefined)}
          >
            {t("layout.asAll")}
          </button>
        )}
      </div>
    </>
  );
}

/** What all are sent, and whether with names. */
function SharedLayout({ meeting, state, names, pictures }: Parts) {
  const id = useId();
  const change = (transforms: LayoutChange) => void meeting.act((api) => api.changeLayout(transforms));
  const shown = state.layout?.overlay_text_enabled ?? false;
  const parts = state.service.auditorium
    ? ([
        ["chair", t("layout.forHosts")],
        ["guest", t("layout.forGuests")],
      ] as const)
    : ([[undefined, t("layout.title")]] as const);
  return (
    <>
      {parts.map(([audience, title]) => (
        <Layouts
          key={title}
          title={title}
          heading={audience !== undefined}
          names={names}
          pictures={pictures}
          chosen={layoutOf(state, audience)}
          onChoose={(name) =>
            change(
              audience === "chair"
                ? { host_layout: name }
                : audience === "guest"
                  ? { guest_layout: name }
                  : { layout: name },
            )
          }
        />
      ))}
      <div className="dialog-row">
        <label className="switch" htmlFor={id}>
          <input
            id={id}
            type="checkbox"
            data-testid="layout-names"
            checked={shown}
            onChange={() => change({ enable_overlay_text: !shown })}
          />
          {t("layout.names")}
        </label>
        <button className="link" type="button" data-testid="layout-reset" onClick={() => change({})}>
          {t("layout.reset")}
        </button>
      </div>
    </>
  );
}

/** `1:7` is one large and seven small. */
function titleOf(name: string): string {
  return name === "ac" ? t("layout.adaptive") : name.replace(/^(\d+):(\d+)$/, "$1 + $2").replace("x", " × ");
}

/** A picture in the colours of the page: the server draws in `currentColor`. */
function addressOf(svg: string): string {
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--layout-ink").trim() || "#5c6473";
  return `data:image/svg+xml,${encodeURIComponent(svg.replaceAll("currentColor", ink))}`;
}

function Layouts(props: {
  title: string;
  /** The title is shown, rather than only said. */
  heading?: boolean;
  names: readonly string[];
  pictures: Readonly<Record<string, string>>;
  chosen: string | undefined;
  onChoose(name: string): void;
}) {
  const { title, heading = false, names, pictures, chosen, onChoose } = props;
  return (
    <fieldset className="layouts">
      <legend className={heading ? undefined : "hidden"}>{title}</legend>
      {names.map((name) => {
        const picture = pictures[name];
        return (
          <button
            key={name}
            type="button"
            className="layout-choice"
            data-testid={`layout-${name}`}
            aria-pressed={name === chosen}
            onClick={() => onChoose(name)}
          >
            {picture && <img src={addressOf(picture)} alt="" />}
            <span>{titleOf(name)}</span>
          </button>
        );
      })}
    </fieldset>
  );
}
