import { useCallback, useEffect, useState } from "react";
import { branding } from "../branding/branding";
import { LocalMedia } from "../devices/local";
import { recall, remember, rememberVisit } from "../devices/memory";
import { Meeting } from "../meeting/meeting";
import { Check } from "./Check";
import { Home } from "./Home";
import { useLanguage } from "./hooks";
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
    const request = { alias, displayName: name, pin, role, callTag, extension, replaces, node, ...signed };
    const begun = new Meeting(request, media, limit);
    setMeeting(begun);
    void begun.join();
  };
  return (
    <Check
      key={route.alias}
      alias={route.alias}
      name={route.name}
      straight={route.straight}
      newMedia={() => newMedia(route)}
      onJoin={join}
      onBack={home}
    />
  );
}
