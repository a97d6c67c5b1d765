/** The part of Deno's internals in use. */
interface Internals {
  core?: { tryClose?(resource: number): void };
}

/**
 * Drops the TCP connection of a WebSocket whose peer does not answer a close. Deno has no API for
 * this and keeps the socket until the peer leaves, so this closes the socket's resource by its id.
 * Does nothing if a later runtime keeps the id elsewhere.
 */
export function dropSocket(socket: WebSocket): void {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) =>
    description === "[[rid]]"
  );
  const resource: unknown = key && Reflect.get(socket, key);
  const name: unknown = Reflect.get(Deno, "internal");
  const internals = typeof name === "symbol" ? Reflect.get(Deno, name) as Internals : undefined;
  if (typeof resource === "number") internals?.core?.tryClose?.(resource);
}
