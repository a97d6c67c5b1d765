/** How a proxy alters a server. `text` is a frame, `said` everything the client has sent so far. */
export interface Alterations {
  /** Replaces a frame of the server by one or several; `null`: by nothing. */
  frame?: (text: string, said: readonly string[]) => string | readonly string[] | null;
  /** Replaces the server's close. */
  close?: (
    close: { code: number; reason: string },
    said: readonly string[],
  ) => { code: number; reason: string };
  /** True to drop the client's last message; `"close"` also closes its connection. */
  swallow?: (said: readonly string[]) => boolean | "close";
}

/** Starts a WebSocket proxy that forwards everything to and from `behind`, with the alterations. */
export function startAlteringProxy(
  behind: string,
  alterations: Alterations,
): AsyncDisposable & { readonly url: string } {
  const { frame = (text) => text, close = (one) => one, swallow = () => false } = alterations;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket: front, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    const back = new WebSocket(behind);
    const opened = new Promise((resolve) => back.onopen = resolve);
    const said: string[] = [];
    for (const socket of [front, back]) socket.onerror = (event) => event.preventDefault();
    front.onmessage = async ({ data }) => {
      said.push(data);
      const swallowed = swallow(said);
      if (swallowed === "close") front.close(1011, "swallowed");
      await opened;
      if (swallowed === false && back.readyState === WebSocket.OPEN) back.send(data);
    };
    front.onclose = () => back.close();
    back.onmessage = ({ data }) => {
      const texts = frame(data, said) ?? [];
      for (const text of typeof texts === "string" ? [texts] : texts) {
        if (front.readyState === WebSocket.OPEN) front.send(text);
      }
    };
    back.onclose = ({ code, reason }) => {
      const altered = close({ code, reason }, said);
      if (front.readyState === WebSocket.OPEN) front.close(altered.code, altered.reason);
    };
    return response;
  });
  return {
    url: `ws://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
