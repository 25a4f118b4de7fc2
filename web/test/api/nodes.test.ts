import { describe, expect, it } from "vitest";
import { otherNodes } from "../../src/api/nodes";

const OWN = "https://one.example:8443";

describe("other nodes", () => {
  it("come in the server's order, then those known from before, each once and without the own", () => {
    const told = ["https://three.example", "https://two.example:8443/", OWN];
    const known = ["https://two.example:8443", "https://home.example"];
    expect(otherNodes(told, known, OWN)).toEqual([
      "https://three.example",
      "https://two.example:8443",
      "https://home.example",
    ]);
  });

  it.each([
    [undefined],
    [null],
    ["https://two.example"],
    [{}],
    [[null, 7, "", "two.example", "javascript:alert(1)"]],
  ])("are none in %j", (told) => {
    expect(otherNodes(told, [], OWN)).toEqual([]);
    expect(otherNodes(told, ["https://home.example"], OWN)).toEqual(["https://home.example"]);
  });
});
