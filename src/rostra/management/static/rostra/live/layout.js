// Where everything is drawn. Depends on which nodes and locations there are, never on load or time, so nothing moves
// while calls come and go.

const CELL = { width: 210, height: 216 };
const PADDING = 18;
const HEAD = 44;
const GAP = 46;
export const LARGEST = 50;
const SMALLEST = 30;

/** Positions for the nodes of `data` in a picture about as wide as `ratio` times its height. */
export function arrange(data, ratio) {
  const groups = data.locations
    .map((location) => group(location, data.nodes.filter((node) => node.location === location.id)))
    .filter((one) => one.nodes.length);
  const packed = best(groups, ratio);
  const nodes = new Map();
  for (const one of packed.groups) {
    one.nodes.forEach((node, place) => {
      const row = Math.floor(place / one.columns);
      const inRow = Math.min(one.columns, one.nodes.length - row * one.columns);
      const shift = ((one.columns - inRow) * CELL.width) / 2;
      nodes.set(node.id, {
        x: one.x + PADDING + shift + ((place % one.columns) + 0.5) * CELL.width,
        y: one.y + HEAD + (row + 0.5) * CELL.height - 12,
      });
    });
  }
  return { ...packed, nodes };
}

function group(location, nodes) {
  const columns = Math.max(1, Math.ceil(Math.sqrt(nodes.length)));
  const rows = Math.ceil(nodes.length / columns);
  return {
    id: location.id,
    nodes,
    columns,
    width: columns * CELL.width + 2 * PADDING,
    height: rows * CELL.height + HEAD + PADDING,
  };
}

/** The number of groups in a row that lets everything be drawn largest. */
function best(groups, ratio) {
  let found = null;
  for (let across = 1; across <= Math.max(1, groups.length); across += 1) {
    const packed = shelves(groups, across);
    const scale = Math.min(ratio / packed.width, 1 / packed.height);
    if (!found || scale > found.scale) found = { ...packed, scale };
  }
  return found;
}

function shelves(groups, across) {
  const placed = [];
  let [x, y, high, wide] = [GAP / 2, GAP / 2, 0, 0];
  groups.forEach((one, place) => {
    if (place && place % across === 0) {
      [x, y, high] = [GAP / 2, y + high + GAP, 0];
    }
    placed.push({ ...one, x, y });
    x += one.width + GAP;
    high = Math.max(high, one.height);
    wide = Math.max(wide, x - GAP / 2);
  });
  return { groups: placed, width: Math.max(wide, 420), height: Math.max(y + high + GAP / 2, 320) };
}

/** Radius of a node: its area is as its capacity. */
export function radius(node, largest) {
  return largest ? SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(node.hd / largest) : SMALLEST;
}

/** Places of conferences around the node that carries them; each keeps its place while it lasts. */
export class Orbits {
  #taken = new Map();

  keep(conferences) {
    const now = new Map(conferences.map((one) => [one.id, one.nodes[0]]));
    for (const [id, slot] of this.#taken) if (now.get(id) !== slot.node) this.#taken.delete(id);
    const used = new Map();
    for (const slot of this.#taken.values()) used.set(slot.node, (used.get(slot.node) ?? new Set()).add(slot.number));
    for (const [id, node] of now) {
      if (this.#taken.has(id) || node === undefined) continue;
      const numbers = used.get(node) ?? used.set(node, new Set()).get(node);
      let number = 0;
      while (numbers.has(number)) number += 1;
      numbers.add(number);
      this.#taken.set(id, { node, number });
    }
  }

  /** Centre of a conference, from the centre and radius of its node; null when there is no room to draw it. */
  at(id, centre, size) {
    const slot = this.#taken.get(id);
    if (!slot || !centre) return null;
    let { number } = slot;
    for (let ring = 0; ring < 2; ring += 1) {
      const distance = size + 20 + ring * 21;
      const room = Math.floor((2 * Math.PI * distance) / 25);
      if (number < room) {
        // Outwards from the upper right, alternating, so that few conferences do not cover the name below.
        const step = number % 2 ? -(number + 1) / 2 : number / 2;
        const angle = -Math.PI / 2 + (step * 2 * Math.PI) / room;
        return { x: centre.x + distance * Math.cos(angle), y: centre.y + distance * Math.sin(angle) };
      }
      number -= room;
    }
    return null;
  }
}

/** A gently bent line between two points, and its middle. */
export function bend(a, b, amount = 0.12) {
  const middle = { x: (a.x + b.x) / 2 - (b.y - a.y) * amount, y: (a.y + b.y) / 2 + (b.x - a.x) * amount };
  return {
    path: `M${a.x} ${a.y}Q${middle.x} ${middle.y} ${b.x} ${b.y}`,
    middle: { x: (a.x + 2 * middle.x + b.x) / 4, y: (a.y + 2 * middle.y + b.y) / 4 },
  };
}
