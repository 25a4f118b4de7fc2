import { useEffect, useId, useState } from "react";
import type { LayoutChange } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { layoutOf, type MeetingState } from "../state/meeting";
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
  const id = useId();
  useEffect(() => {
    void meeting.read((api) => api.layouts()).then((found) => setNames(found ?? []));
    void meeting.read((api) => api.layoutPictures()).then((found) => setPictures(found ?? {}));
  }, [meeting]);
  const change = (transforms: LayoutChange) => void meeting.act((api) => api.changeLayout(transforms));
  const { auditorium } = state.service;
  const shown = state.layout?.overlay_text_enabled ?? false;
  return (
    <Dialog title={t("layout.title")} onClose={onClose} wide>
      {names?.length === 0 && <p className="soft">{t("layout.none")}</p>}
      {auditorium ? (
        <>
          <Layouts
            title={t("layout.forHosts")}
            names={names ?? []}
            pictures={pictures}
            chosen={layoutOf(state, "chair")}
            onChoose={(name) => change({ host_layout: name })}
          />
          <Layouts
            title={t("layout.forGuests")}
            names={names ?? []}
            pictures={pictures}
            chosen={layoutOf(state, "guest")}
            onChoose={(name) => change({ guest_layout: name })}
          />
        </>
      ) : (
        <Layouts
          title={t("layout.title")}
          names={names ?? []}
          pictures={pictures}
          chosen={layoutOf(state)}
          onChoose={(name) => change({ layout: name })}
        />
      )}
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
    </Dialog>
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
  names: readonly string[];
  pictures: Readonly<Record<string, string>>;
  chosen: string | undefined;
  onChoose(name: string): void;
}) {
  const { title, names, pictures, chosen, onChoose } = props;
  return (
    <fieldset className="layouts">
      <legend className="hidden">{title}</legend>
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
