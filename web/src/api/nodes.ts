/** Which other nodes a client may go on with. Pure. */

/** The origin of an address, or undefined where it is none of a node: nodes speak HTTPS, in development HTTP too. */
function originOf(address: unknown): string | undefined {
  if (typeof address !== "string" || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  return url.protocol === "https:" || url.protocol === "http:" ? url.origin : undefined;
}

/**
 * Other nodes, best first, each once: those the present node told of (`node_urls`, which may be anything), then the
 * ones known from before, such as the one the page came from.
 */
export function otherNodes(told: unknown, known: readonly string[], own: string): string[] {
  const addresses: unknown[] = Array.isArray(told) ? [...told, ...known] : [...known];
  const origins = new Set<string>();
  for (const address of addresses) {
    const origin = originOf(address);
    if (origin !== undefined && origin !== own) origins.add(origin);
  }
  return [...origins];
}
