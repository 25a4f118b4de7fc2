// Where everything is drawn. Depends on which nodes and locations there are, never on load or time, so nothing moves
// while calls come and go.

const CELL = { width: 204, height: 200 };
const SHAPES = [0.7, 1, 1.4, 2, 4];
const PADDING = 18;
const HEAD = 44;
const GAP = 46;
const LARGEST = 50;
const SMALLEST = 36;

/** Positions for the nodes of `data` in a picture about as wide as `ratio` times its height. */
export function arrange(data, ratio) {
  const packed = best(data, ratio);
  const nodes = new Map();
  for (const one of packed.groups) {
    one.nodes.forEach((node, place) => {
      const row = Math.floor(place / one.columns);
      const inRow = Math.min(one.columns, one.nodes.length - row * one.columns);
      const shift = ((one.columns - inRow) * CELL.width) / 2;
      nodes.set(node.id, {
        x: one.x + PADDING + shift + ((place % one.columns) + 0.5) * CELL.width,
        y: one.y + HEAD + (row + 0.5) * CELL.height - 8,
      });
    });
  }
  return { ...packed, nodes };
}

function group(location, nodes, shape) {
  const columns = Math.min(nodes.length, Math.max(1, Math.round(Math.sqrt(nodes.length) * shape)));
  const rows = Math.ceil(nodes.length / columns);
  return {
    id: location.id,
    nodes,
    columns,
    width: columns * CELL.width + 2 * PADDING,
    height: rows * CELL.height + HEAD + PADDING,
  };
}

/** The shape of groups and their number in a row that let everything be drawn largest. */
function best(data, ratio) {
  const full = data.locations
    .map((location) => [location, data.nodes.filter((node) => node.location === location.id)])
    .filter(([, nodes]) => nodes.length);
  let found = null;
  for (const shape of SHAPES) {
    const groups = full.map(([location, nodes]) => group(location, nodes, shape));
    for (let across = 1; across <= Math.max(1, groups.length); across += 1) {
      const packed = shelves(groups, across);
      const scale = Math.min(ratio / packed.width, 1 / packed.height);
      if (!found || scale > found.scale * 1.02) found = { ...packed, scale };
    }
  }
  return found;
}

function shelves(groups, across) {
  const rows = [];
  for (let first = 0; first < groups.length; first += across) rows.push(groups.slice(first, first + across));
  const length = (row) => row.reduce((total, one) => total + one.width + GAP, 0);
  const width = Math.max(420, ...rows.map(length));
  const placed = [];
  let y = GAP / 2;
  for (const row of rows) {
    const high = Math.max(...row.map((one) => one.height));
    let x = (width - length(row) + GAP) / 2;
    for (const one of row) {
      placed.push({ ...one, x, y: y + (high - one.height) / 2 });
      x += one.width + GAP;
    }
    y += high + GAP;
  }
  return { groups: placed, width, height: Math.max(y - GAP / 2, 320) };
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

/** A gently bent line between two circles (points have no radius), and its points. */
export function bend(from, to, amount = 0.12) {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const along = (point, distance, sign) => ({
    x: point.x + ((to.x - from.x) / length - (sign * amount * 2 * (to.y - from.y)) / length) * distance * sign,
    y: point.y + ((to.y - from.y) / length + (sign * amount * 2 * (to.x - from.x)) / length) * distance * sign,
  });
  const [a, b] = [along(from, from.r ?? 0, 1), along(to, to.r ?? 0, -1)];
  const middle = { x: (a.x + b.x) / 2 - (b.y - a.y) * amount, y: (a.y + b.y) / 2 + (b.x - a.x) * amount };
  const at = (t) => ({
    x: (1 - t) ** 2 * a.x + 2 * t * (1 - t) * middle.x + t ** 2 * b.x,
    y: (1 - t) ** 2 * a.y + 2 * t * (1 - t) * middle.y + t ** 2 * b.y,
  });
  return { path: `M${a.x} ${a.y}Q${middle.x} ${middle.y} ${b.x} ${b.y}`, at };
}

const ALONG = [0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74, 0.2, 0.8, 0.14, 0.86];

/** Where on each line its label, of half `size`, covers the least: clear of what is in the way and of other labels.
 * Everything is a centre, and half its width and height. */
export function labels(lines, sizes, inTheWay) {
  const placed = [];
  const space = (spot, size) =>
    Math.min(
      ...[...inTheWay, ...placed].map((one) =>
        Math.max(Math.abs(spot.x - one.x) / (one.w + size.w), Math.abs(spot.y - one.y) / (one.h + size.h)),
      ),
    );
  lines.forEach((line, number) => {
    const size = sizes[number];
    let best = null;
    for (const along of ALONG) {
      const spot = line.at(along);
      const free = space(spot, size);
      if (!best || free > best.free) best = { ...spot, free };
      if (free >= 1) break;
    }
    placed.push({ ...best, ...size });
  });
  return placed;
}

const ROOM = CELL.width - 10;
const LETTER = 7.6;

/** A name as wide as its node's cell at most; names of nodes often begin alike, so what is left out is in the middle. */
export function named(name, large) {
  const most = Math.max(6, Math.floor(ROOM / (LETTER * large)));
  if (name.length <= most) return name;
  const end = Math.ceil((most - 1) / 2);
  return `${name.slice(0, most - 1 - end)}…${name.slice(-end)}`;
}

/** What labels of lines keep clear of: nodes, the names below them and the heads of groups. */
export function obstacles(data, layout, sizes, large) {
  const found = layout.groups.map((one) => ({ x: one.x + one.width / 2, y: one.y + 25, w: one.width / 2, h: 9 * large }));
  for (const node of data.nodes) {
    const at = layout.nodes.get(node.id);
    if (!at) continue;
    const size = sizes.get(node.id);
    const wide = (named(node.name, large).length * LETTER * large) / 2;
    found.push({ x: at.x, y: at.y, w: size, h: size });
    found.push({ x: at.x, y: at.y + size + 6 + 17 * large, w: Math.max(wide, 40 * large), h: 16 * large });
  }
  return found;
}
