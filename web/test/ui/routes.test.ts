import { describe, expect, it } from "vitest";
import { conferencePath, parseRoute } from "../../src/ui/routes";

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
});
