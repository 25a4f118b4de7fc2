import { describe, expect, it } from "vitest";
import { conferencePath, handOverAddress, parseRoute, publicAddress, rootOf } from "../../src/ui/routes";

describe("routes", () => {
  it("knows the start page", () => {
    expect(parseRoute("/", "")).toEqual({ page: "home", name: undefined });
    expect(parseRoute("/whatever", "?name=Ada")).toEqual({ page: "home", name: "Ada" });
  });

  it.each(["/conference/meet.demo", "/webapp/conference/meet.demo", "/webapp/conference/meet.demo/"])(
    "%s",
    (path) => {
      expect(parseRoute(path, "?name=Ada")).toMatchObject({
        page: "conference",
        alias: "meet.demo",
        name: "Ada",
      });
    },
  );

  it("decodes the alias once and survives broken encoding", () => {
    expect(parseRoute("/conference/a%40b%2540", "")).toMatchObject({ alias: "a@b%40" });
    expect(parseRoute("/conference/50%", "")).toMatchObject({ alias: "50%" });
  });

  it("reads PIN and straight joining", () => {
    expect(parseRoute("/conference/x", "?pin=12&join=1")).toMatchObject({ pin: "12", straight: true });
  });

  it("writes what it reads", () => {
    const [path = "", search = ""] = conferencePath("team & co@example.com", "Ada & Bo").split("?");
    expect(parseRoute(path, `?${search}`)).toMatchObject({
      alias: "team & co@example.com",
      name: "Ada & Bo",
    });
  });

  it.each([
    ["/", "/"],
    ["/webapp", "/webapp/"],
    ["/webapp/conference/x", "/webapp/"],
    ["/staff/m/x", "/staff/"],
    ["/conference/x", "/"],
    ["/m/x", "/"],
  ])("%s was opened at %s", (path, root) => {
    expect(rootOf(path)).toBe(root);
  });

  it("stays below the path at which it was opened, and keeps secrets out of it", () => {
    expect(parseRoute("/staff/conference/meet.demo", "")).toMatchObject({ alias: "meet.demo" });
    expect(conferencePath("a b", "Ada", "/staff/")).toBe("/staff/conference/a%20b?name=Ada");
    expect(conferencePath("x", undefined, "/")).toBe("/webapp/conference/x");
    expect(publicAddress("/staff/", "?conference=x&pin=12", "")).toBe("/staff/conference/x");
    expect(publicAddress("/staff/", "", "#/?conference=x&pin=12")).toBe("/staff/conference/x");
    expect(publicAddress("/", "", "#/conference/x?pin=12")).toBe("/webapp/conference/x");
  });

  it("hands a visit over to another node's page without telling a server its secrets", () => {
    const visit = {
      alias: "team & co@example.com",
      displayName: "Ada & Bo",
      pin: "12#4",
      extension: "100",
      replaces: "to=k-en_",
      micMuted: true,
      cameraOff: false,
    };
    const url = new URL(handOverAddress("https://two.example:8443", visit));
    expect(url.origin).toBe("https://two.example:8443");
    expect(url.pathname + url.search).not.toMatch(/12|to=k/);
    expect(parseRoute(url.pathname, url.search, url.hash)).toEqual({
      page: "conference",
      alias: visit.alias,
      name: visit.displayName,
      pin: "12#4",
      straight: true,
      handedOver: { extension: "100", replaces: "to=k-en_", micMuted: true, cameraOff: false },
    });
  });

  it("takes nothing from a fragment that is not a visit", () => {
    expect(parseRoute("/conference/x", "", "#mic=off")).toMatchObject({ handedOver: undefined });
    expect(parseRoute("/conference/x", "", "#over=1")).toMatchObject({
      pin: undefined,
      handedOver: { extension: undefined, replaces: undefined, micMuted: false, cameraOff: false },
    });
  });
});
