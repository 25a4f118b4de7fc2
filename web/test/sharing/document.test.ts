import { describe, expect, it } from "vitest";
import { placed } from "../../src/sharing/document";

describe("a page on the canvas", () => {
  it.each([
    [[1920, 1080], { x: 0, y: 0, width: 1920, height: 1080 }],
    [[960, 540], { x: 0, y: 0, width: 1920, height: 1080 }],
    [[1000, 1000], { x: 420, y: 0, width: 1080, height: 1080 }],
    [[4000, 1000], { x: 0, y: 300, width: 1920, height: 480 }],
  ])("%j is whole and in the middle", ([width = 0, height = 0], place) => {
    expect(placed(width, height)).toMatchObject(place);
  });
});
