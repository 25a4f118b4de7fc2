import { afterEach, describe, expect, it, vi } from "vitest";
import { askProvider, signOnAddress } from "../../src/meeting/signon";
import { parseRoute } from "../../src/ui/routes";

const HERE = "https://meet.test";
let page: EventTarget;

/** The window of this page, and the one it opens. */
function opened() {
  const other = { closed: false, close: vi.fn() };
  page = Object.assign(new EventTarget(), {
    location: { origin: HERE, hostname: "meet.test" },
    open: (): typeof other | null => other,
  });
  vi.stubGlobal("window", page);
  return other;
}

function says(source: unknown, origin: string, data: unknown) {
  page.dispatchEvent(Object.assign(new Event("message"), { source, origin, data }));
}

describe("signing on", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("listens to the window it opened, from its own address, only", async () => {
    const other = opened();
    const told = askProvider("https://idp.test/");
    says({}, HERE, { result: "success", token: "forged" });
    says(other, "https://evil.test", { result: "success", token: "forged" });
    says(other, HERE, "noise");
    says(other, HERE, { result: "success", token: "good" });
    expect(await told).toEqual({ token: "good" });
    expect(other.close).toHaveBeenCalled();
  });

  it("knows a refusal, a closed window, and one that may not be opened", async () => {
    const other = opened();
    const refused = askProvider("https://idp.test/");
    says(other, HERE, { result: "forbidden", code: 403 });
    expect(await refused).toEqual({ token: undefined });
    const closed = askProvider("https://idp.test/");
    other.closed = true;
    expect(await closed).toBeUndefined();
    Object.assign(page, { open: () => null });
    expect(askProvider("https://idp.test/")).toBeUndefined();
  });

  it("comes back to the visit it left", () => {
    const visit = { alias: "board", displayName: "Ada", pin: "12", micMuted: true, cameraOff: false };
    const address = new URL(
      signOnAddress("https://meet.test", visit, "u1").replace("__pexip-sso-token__", "TOKEN"),
    );
    const route = parseRoute(address.pathname, address.search, address.hash);
    expect(route).toMatchObject({
      page: "conference",
      alias: "board",
      name: "Ada",
      pin: "12",
      straight: true,
      handedOver: { provider: "u1", ssoToken: "TOKEN", micMuted: true },
    });
  });
});
