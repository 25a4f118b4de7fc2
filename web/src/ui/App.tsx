import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { branding } from "../branding/branding";
import { LocalMedia } from "../devices/local";
import { recall, remember, rememberVisit } from "../devices/memory";
import { Meeting } from "../meeting/meeting";
import { registration } from "../registration/ours";
import type { Incoming } from "../registration/registration";
import { Check } from "./Check";
import { Home } from "./Home";
import { useLanguage } from "./hooks";
import { IncomingCall } from "./IncomingCall";
import { MeetingPage } from "./MeetingPage";
import { conferencePath, parseRoute, publicAddress, type Route, rootOf } from "./routes";

function newMedia(route: Route): LocalMedia {
  const { micId, cameraId, speakerId, micMuted, cameraWanted } = recall();
  const asked = route.page === "conference" ? route : undefined;
  const over = asked?.handedOver;
  return new LocalMedia({
    micId,
    cameraId,
    speakerId,
    micMuted: over?.micMuted ?? asked?.micMuted ?? micMuted ?? false,
    cameraWanted: over ? !over.cameraOff : asked?.cameraOff ? false : (cameraWanted ?? true),
  });
}

/** Where we are; secrets do not stay in the address bar and the history. */
function here(): Route {
  const { pathname, search, hash } = window.location;
  const route = parseRoute(pathname, search, hash);
  const shown = publicAddress(pathname, search, hash);
  if (shown !== pathname + search + hash) window.history.replaceState(null, "", shown);
  return route;
}

const arrival = here();
const root = rootOf(window.location.pathname);

export function App() {
  useLanguage();
  const { calls } = useSyncExternalStore(registration.store.subscribe, registration.store.get);
  /** The call that is being taken. */
  const [taken, setTaken] = useState<Incoming>();
  const [route, setRoute] = useState<Route>(arrival);
  const [meeting, setMeeting] = useState<Meeting>();

  const go = useCallback((path: string) => {
    window.history.pushState(null, "", path);
    setRoute(here());
  }, []);

  useEffect(() => {
    const moved = () => {
      setMeeting((running) => {
        void running?.leave();
        return undefined;
      });
      setRoute(here());
    };
    window.addEventListener("popstate", moved);
    return () => window.removeEventListener("popstate", moved);
  }, []);

  const home = useCallback(() => {
    setMeeting(undefined);
    go(root);
  }, [go]);

  const accept = (incoming: Incoming) => {
    registration.silence(incoming);
    void meeting?.leave();
    setMeeting(undefined);
    setTaken(incoming);
    const name = recall().name || incoming.local_alias;
    go(`${conferencePath(incoming.conference_alias, name, root)}&join=1`);
  };

  const page = () => {
    if (meeting) {
      return (
        <MeetingPage
          key={meeting.alias}
          meeting={meeting}
          onRejoin={() => setMeeting(undefined)}
          onHome={home}
        />
      );
    }
    if (route.page === "home") {
      return <Home name={route.name} onContinue={(alias, name) => go(conferencePath(alias, name, root))} />;
    }
    const join = (media: LocalMedia, name: string) => {
      const { micId, cameraId, speakerId, micMuted, cameraWanted } = media.state;
      remember({
        name,
        // Joining without devices says nothing about the next time.
        ...(media.microphone || media.camera ? { micMuted, cameraWanted } : {}),
        ...(micId ? { micId } : {}),
        ...(cameraId ? { cameraId } : {}),
        ...(speakerId ? { speakerId } : {}),
      });
      rememberVisit(route.alias);
      const { alias, pin, role, callTag, handedOver } = route;
      const extension = handedOver?.extension ?? route.extension;
      const { replaces, provider, ssoToken } = handedOver ?? {};
      const node = window.location.origin;
      const limit = route.bandwidth ?? recall().bandwidth ?? branding().bandwidth;
      const signed = { provider, ssoToken };
      const oneTimeToken = taken?.conference_alias === alias ? taken.token : undefined;
      const registrationToken = registration.current;
      const said = { extension, replaces, oneTimeToken, registrationToken, ...signed };
      const request = { alias, displayName: name, pin, role, callTag, node, ...said };
      setTaken(undefined);
      const begun = new Meeting(request, media, limit);
      setMeeting(begun);
      void begun.join();
    };
    return (
      <Check
        key={`${route.alias} ${taken?.token ?? ""}`}
        alias={route.alias}
        name={route.name}
        straight={route.straight}
        newMedia={() => newMedia(route)}
        onJoin={join}
        onBack={home}
      />
    );
  };
  const [call] = calls;
  return (
    <>
      {page()}
      {call && (
        <IncomingCall
          key={call.token}
          call={call}
          inMeeting={meeting !== undefined}
          onAccept={() => accept(call)}
          onReject={() => void registration.reject(call)}
        />
      )}
    </>
  );
}
