import { describe, expect, it } from "vitest";
import { apply, onlyTexts, readSettings } from "../../src/branding/branding";

describe("settings.js", () => {
  it.each([
    ['var settings = { defaultDialOutProtocol: "sip" };', { defaultDialOutProtocol: "sip" }],
    ["window.settings.defaultBandwidth = 1264;", { defaultBandwidth: 1264 }],
    ['{"applicationName": "Example\\"s", "x": true}', { applicationName: 'Example"s', x: true }],
    ["// applicationName: 'no'\n/* a: 1 */ b: 'http://c.d/e'", { b: "http://c.d/e" }],
    ["alert(document.cookie)", {}],
    ["a = function () { return 5 }", {}],
  ])("%s", (text, found) => {
    expect(readSettings(text)).toEqual(found);
  });
});

describe("what settings mean", () => {
  it("takes known protocols only, in any case", () => {
    // spec: CONF-114
    expect(apply([], { defaultDialOutProtocol: "SIP" }).dialOutProtocol).toBe("sip");
    expect(apply([], { defaultDialOutProtocol: "smoke" }).dialOutProtocol).toBeUndefined();
  });

  it("takes names and numbers of the right kind", () => {
    expect(apply(["logo.png"], { applicationName: "Example", defaultBandwidth: 576 })).toEqual({
      files: ["logo.png"],
      applicationName: "Example",
      dialOutProtocol: undefined,
      bandwidth: 576,
    });
    expect(apply([], { applicationName: 5, defaultBandwidth: "lots" })).toMatchObject({
      applicationName: undefined,
      bandwidth: undefined,
    });
  });
});

it("keeps only texts of a language file", () => {
  expect(onlyTexts({ a: "b", c: 1, d: null })).toEqual({ a: "b" });
  expect(onlyTexts([])).toEqual({});
  expect(onlyTexts(null)).toEqual({});
});
