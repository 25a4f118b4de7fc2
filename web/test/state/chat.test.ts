import { describe, expect, it } from "vitest";
import { added, news, newsOf, pieces } from "../../src/state/chat";
import { emptyRoster, reduceRoster } from "../../src/state/roster";
import { row } from "./rows";

describe("links", () => {
  it.each([
    ["see https://example.com/a?b=1.", ["see ", "https://example.com/a?b=1", "."]],
    ["(https://example.com)", ["(", "https://example.com", ")"]],
    ["https://en.wikipedia.org/wiki/A_(b)", ["https://en.wikipedia.org/wiki/A_(b)"]],
    ["nothing here", ["nothing here"]],
    ["javascript:alert(1)", ["javascript:alert(1)"]],
  ])("%s", (text, parts) => {
    const found = pieces(text);
    expect(found.map((piece) => piece.text)).toEqual(parts);
    for (const { text: shown, href } of found) if (href) expect(href).toBe(shown);
  });

  it("makes links only of web addresses", () => {
    expect(pieces("javascript:alert(1)").some((piece) => piece.href)).toBe(false);
    expect(pieces('https://a.b/"onclick').at(0)?.href).toBe("https://a.b/");
  });
});

describe("news", () => {
  const flags = { locked: false, guests_muted: false, started: true };
  const before = { roster: emptyRoster, flags, self: "self" };

  it("tells who came and went", () => {
    const create = { name: "participant_create" as const, data: row("ada") };
    expect(newsOf(create, before, 0)?.news).toEqual({ key: "news.joined", params: { name: "ada" } });
    const roster = reduceRoster(emptyRoster, create);
    const gone = { name: "participant_delete" as const, data: { uuid: "ada" } };
    expect(newsOf(gone, { ...before, roster }, 0)?.news?.key).toBe("news.left");
  });

  it("says nothing of oneself, of those who wait, or of changes", () => {
    const create = (data: ReturnType<typeof row>) => newsOf({ name: "participant_create", data }, before, 0);
    expect(create(row("self"))).toBeUndefined();
    expect(create(row("ada", { service_type: "waiting_room" }))).toBeUndefined();
    const roster = reduceRoster(emptyRoster, { name: "participant_create", data: row("ada") });
    const update = { name: "participant_update" as const, data: row("ada", { is_muted: "YES" }) };
    expect(newsOf(update, { ...before, roster }, 0)).toBeUndefined();
  });

  it("counts letting in as joining", () => {
    const waiting = row("ada", { service_type: "waiting_room" });
    const roster = reduceRoster(emptyRoster, { name: "participant_create", data: waiting });
    const update = { name: "participant_update" as const, data: row("ada") };
    expect(newsOf(update, { ...before, roster }, 0)?.news?.key).toBe("news.joined");
  });

  it("tells of the lock only when it changes", () => {
    const told = (locked: boolean) =>
      newsOf({ name: "conference_update", data: { ...flags, locked } }, before, 0)?.news?.key;
    expect(told(true)).toBe("news.locked");
    expect(told(false)).toBeUndefined();
  });

  it("forgets the oldest lines", () => {
    let lines = added([], news("news.locked", {}, 0), 0);
    for (let id = 1; id <= 600; id += 1) lines = added(lines, news("news.locked", {}, 0), id);
    expect(lines).toHaveLength(500);
    expect(lines.at(-1)?.id).toBe(600);
  });
});
