/** Places for the boxes of steps: what waits stands below what it waits for, a group around its members. */

export interface Node {
  name: string;
  parent?: string | null;
  needs: string[]; // within the same group
}

export interface Box {
  name: string;
  x: number;
  y: number;
  width: number;
  height: number;
  isGroup: boolean;
}

export interface Drawing {
  width: number;
  height: number;
  boxes: Box[]; // a group before its members
  edges: string[]; // paths of SVG
}

const WIDTH = 230;
const HEIGHT = 58;
const GAP_X = 18;
const GAP_Y = 30;
const PAD = 14; // within a group
const HEAD = 60; // of a group

/** Lay the steps out; px. Steps whose needs go round in a circle stand beside each other. */
export function layout(nodes: Node[]): Drawing {
  const members = new Map<string, Node[]>();
  for (const node of nodes) {
    const parent = node.parent ?? "";
    members.set(parent, [...(members.get(parent) ?? []), node]);
  }
  const { width, height, boxes, edges } = inside(members, "");
  return { width, height, boxes, edges };
}

function inside(members: Map<string, Node[]>, group: string): Drawing {
  const own = members.get(group) ?? [];
  const parts = new Map(own.map((node) => [node.name, one(members, node)]));
  const ranks = ranksOf(own);
  const rows: Node[][] = [];
  for (const node of own) (rows[ranks.get(node.name) ?? 0] ??= []).push(node);
  const widthOf = (row: Node[]) => row.reduce((sum, node) => sum + (parts.get(node.name)?.width ?? 0) + GAP_X, -GAP_X);
  const width = Math.max(0, ...rows.map(widthOf));
  const boxes: Box[] = [];
  const edges: string[] = [];
  const placed = new Map<string, Box>();
  let y = 0;
  for (const row of rows) {
    let x = (width - widthOf(row)) / 2;
    let tallest = 0;
    for (const node of row) {
      const part = parts.get(node.name);
      if (!part) continue;
      const moved = part.boxes.map((box) => ({ ...box, x: box.x + x, y: box.y + y }));
      boxes.push(...moved);
      edges.push(...part.edges.map((path) => shifted(path, x, y)));
      if (moved[0]) placed.set(node.name, moved[0]);
      x += part.width + GAP_X;
      tallest = Math.max(tallest, part.height);
    }
    y += tallest + GAP_Y;
  }
  for (const node of own) {
    const to = placed.get(node.name);
    for (const need of node.needs) {
      const from = placed.get(need);
      if (to && from) edges.push(edge(from, to));
    }
  }
  return { width, height: Math.max(0, y - GAP_Y), boxes, edges };
}

function one(members: Map<string, Node[]>, node: Node): Drawing {
  if (!members.has(node.name)) {
    const box = { name: node.name, x: 0, y: 0, width: WIDTH, height: HEIGHT, isGroup: false };
    return { width: WIDTH, height: HEIGHT, boxes: [box], edges: [] };
  }
  const inner = inside(members, node.name);
  const width = Math.max(WIDTH, inner.width + 2 * PAD);
  const height = HEAD + inner.height + PAD;
  const [x, y] = [(width - inner.width) / 2, HEAD];
  return {
    width,
    height,
    boxes: [
      { name: node.name, x: 0, y: 0, width, height, isGroup: true },
      ...inner.boxes.map((box) => ({ ...box, x: box.x + x, y: box.y + y })),
    ],
    edges: inner.edges.map((path) => shifted(path, x, y)),
  };
}

/** The row of each step: below everything that it needs. Each step and each need is looked at once, but in a circle. */
export function ranksOf(nodes: Node[]): Map<string, number> {
  const names = new Set(nodes.map(({ name }) => name));
  const missing = new Map<string, Set<string>>(); // what a step needs that has no row yet
  const followers = new Map<string, Node[]>();
  for (const node of nodes) {
    const needs = new Set(node.needs.filter((need) => names.has(need)));
    missing.set(node.name, needs);
    for (const need of needs) {
      const known = followers.get(need);
      if (known) known.push(node);
      else followers.set(need, [node]);
    }
  }
  const ranks = new Map<string, number>();
  let ready = nodes.filter(({ name }) => !missing.get(name)?.size);
  while (ranks.size < names.size) {
    const now = ready.length ? ready : nodes.filter(({ name }) => !ranks.has(name));
    ready = [];
    for (const { name, needs } of now) {
      ranks.set(name, Math.max(0, ...needs.map((need) => (ranks.get(need) ?? -1) + 1)));
      for (const follower of followers.get(name) ?? []) {
        const left = missing.get(follower.name);
        if (left?.delete(name) && !left.size && !ranks.has(follower.name)) ready.push(follower);
      }
    }
  }
  return ranks;
}

function edge(from: Box, to: Box): string {
  const [x1, y1] = [from.x + from.width / 2, from.y + from.height];
  const [x2, y2] = [to.x + to.width / 2, to.y];
  const middle = (y1 + y2) / 2;
  return `M ${x1} ${y1} C ${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`;
}

function shifted(path: string, x: number, y: number): string {
  let isX = false;
  return path.replace(/-?\d+(?:\.\d+)?/g, (number) => String(Number(number) + ((isX = !isX) ? x : y)));
}
