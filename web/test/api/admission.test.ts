import { describe, expect, it } from "vitest";
import { conferenceUrl, readTokenAnswer } from "../../src/api/admission";

const version = { version_id: "36", pseudo_version: "1" };

describe("request_token answers", () => {
  it("tells an optional PIN from a required one", () => {
    const optional = readTokenAnswer(403, { pin: "required", guest_pin: "none", version });
    const required = readTokenAnswer(403, { pin: "required", guest_pin: "required", version });
    expect(optional).toEqual({ kind: "pin", guestPinRequired: false });
    expect(required).toEqual({ kind: "pin", guestPinRequired: true });
  });

  it("takes a PIN challenge with a reception's type as a PIN challenge", () => {
    const answer = readTokenAnswer(403, {
      pin: "required",
      guest_pin: "none",
      conference_extension: "standard",
      version,
    });
    expect(answer.kind).toBe("pin");
  });

  it("recognises a Virtual Reception", () => {
    const result = { conference_extension: "required", conference_extension_type: "standard" };
    expect(readTokenAnswer(403, result)).toEqual({ kind: "extension" });
  });

  // spec: API-036
  it("recognises where to sign on, and goes nowhere but to web addresses", () => {
    const provider = { name: "Company", uuid: "u1" };
    expect(readTokenAnswer(403, { idp: [provider], version })).toEqual({
      kind: "providers",
      providers: [provider],
    });
    const there = { redirect_url: "https://idp.test/a", redirect_idp: provider, version };
    expect(readTokenAnswer(403, there)).toEqual({
      kind: "signOn",
      provider,
      url: "https://idp.test/a",
      redirect: false,
    });
    expect(readTokenAnswer(403, { ...there, disable_popup_flow: true })).toMatchObject({ redirect: true });
    const script = { ...there, redirect_url: "javascript:alert(1)" };
    expect(readTokenAnswer(403, script)).toMatchObject({ kind: "refused" });
  });

  it("keeps the server's reason", () => {
    expect(readTokenAnswer(403, "Invalid PIN")).toEqual({
      kind: "refused",
      status: 403,
      reason: "Invalid PIN",
    });
  });

  it("survives answers that are no envelope", () => {
    expect(readTokenAnswer(502, null)).toEqual({ kind: "refused", status: 502, reason: "HTTP 502" });
    expect(readTokenAnswer(200, {})).toMatchObject({ kind: "refused" });
  });
});

it("encodes the alias exactly once", () => {
  expect(conferenceUrl("https://node:8443", "meet@example.com/a b")).toBe(
    "https://node:8443/api/client/v2/conferences/meet%40example.com%2Fa%20b",
  );
});
