/** How a proxy makes a sound server a bad one. `text` is the frame, `said` what the client said before. */
export interface Alterations {
  /** In place of a frame of the server's, one or several; `null`: nothing. */
  frame?: (text: string, said: readonly string[]) => string | readonly string[] | null;
  /** In place of the server's close. */
  close?: (
    close: { code: number; reason: string },
    said: readonly string[],
  ) => { code: number; reason: string };
  /** Whether what the client has just said is kept from the server; `"close"`: and the client is cut off. */
  swallow?: (said: readonly string[]) => boolean | "close";
}

export interface AlteringProxy extends AsyncDisposable {
  readonly url: string;
}

/** A WebSocket server in front of another, which it passes everything on to and from, but for alterations. */
export function startAlteringProxy(behind: string, alterations: Alterations): AlteringProxy {
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
