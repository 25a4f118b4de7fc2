import { useCallback, useEffect, useState } from "react";
import { LocalMedia } from "../devices/local";
import { recall, remember, rememberVisit } from "../devices/memory";
import { Meeting } from "../meeting/meeting";
import { Check } from "./Check";
import { Home } from "./Home";
import { MeetingPage } from "./MeetingPage";
import { conferencePath, parseRoute, type Route } from "./routes";

function newMedia(route: Route): LocalMedia {
  const { micId, cameraId, speakerId, micMuted, cameraWanted } = recall();
  const over = route.page === "conference" ? route.handedOver : undefined;
  return new LocalMedia({
    micId,
    cameraId,
    speakerId,
    micMuted: over?.micMuted ?? micMuted ?? false,
    cameraWanted: over ? !over.cameraOff : (cameraWanted ?? true),
  });
}

/** Where we are; secrets in the fragment do not stay in the address bar and the history. */
function here(): Route {
  const { pathname, search, hash } = window.location;
  if (hash !== "") window.history.replaceState(null, "", pathname + search);
  return parseRoute(pathname, search, hash);
}

const arrival = here();

export function App() {
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
    go("/");
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
    return <Home name={route.name} onContinue={(alias, name) => go(conferencePath(alias, name))} />;
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
    const { alias, pin, handedOver } = route;
    const { extension, replaces } = handedOver ?? {};
    const node = window.location.origin;
    const begun = new Meeting({ alias, displayName: name, pin, extension, replaces, node }, media);
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
