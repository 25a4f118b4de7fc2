import { expect, it } from "vitest";
import { isOrdinaryEnd, messageFor, remedyFor } from "../../src/api/reasons";
import { explain } from "../../src/ui/reason";

it("puts the platform's reasons into words", () => {
  expect(explain("Neither conference nor gateway found")).toMatch(/no meeting with this address/i);
  expect(explain("network")).toMatch(/cannot be reached/);
});

it("shows an unknown reason as it is", () => {
  expect(messageFor("Something new")).toBeUndefined();
  expect(messageFor("constructor")).toBeUndefined();
  expect(explain("Something new")).toContain("Something new");
});

it("tells an ordinary end from a fault", () => {
  expect(isOrdinaryEnd("API initiated conference termination")).toBe(true);
  expect(isOrdinaryEnd("Media process disconnected")).toBe(false);
});

it.each([
  ["Signaling node disconnected", "move"],
  ["System in maintenance mode", "move"],
  ["Invalid token", "stay"],
  ["Media node disconnected", "stay"],
  ["Disconnected by another participant", "none"],
  ["API initiated conference termination", "none"],
  ["Something new", "none"],
])("after “%s” one should %s", (reason, remedy) => {
  expect(remedyFor(reason)).toBe(remedy);
});
