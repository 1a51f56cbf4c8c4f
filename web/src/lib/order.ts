/** The order of what has a name: as listed, what belongs to a name (`unit#on_success`) behind it. */

/** Order things; what belongs to no listed name comes last. Each step takes the same time, however many there are. */
export function inOrder<T extends { name: string }>(listed: string[], things: T[]): T[] {
  const groups = new Map(listed.map((name) => [name, [] as T[]]));
  const rest: T[] = [];
  for (const thing of things) {
    let name = thing.name;
    while (!groups.has(name) && name.includes("#")) name = name.slice(0, name.lastIndexOf("#"));
    const group = groups.get(name) ?? rest;
    if (name === thing.name && group !== rest) group.unshift(thing);
    else group.push(thing);
  }
  return [...groups.values(), rest].flat();
}
