import { expect, it } from "vitest";
import { isOrdinaryEnd, messageFor } from "../../src/api/reasons";
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
