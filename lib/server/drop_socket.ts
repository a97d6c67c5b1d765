/** What the runtime keeps to itself, as far as it is needed here. */
interface Internals {
  core?: { tryClose?(resource: number): void };
}

/**
 * Ends the TCP connection of a WebSocket whose peer answers no close. The runtime has no call for it, and keeps
 * such a socket until the peer goes away: so this takes the number of the socket's resource and closes that.
 * Where a later runtime keeps it elsewhere, nothing happens, as without it.
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
