import { Connection } from "./connection.ts";
import { readStats } from "./server_state.ts";
import type { ServerStats } from "./counters.ts";
import { HttpClients } from "./http_clients.ts";
import { asksForToken, type ServerOptions, validateServerOptions } from "./options.ts";
import { createServerContext, type ServerContext } from "./server_context.ts";

/** A server that listens. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  /** Such as `ws://127.0.0.1:8079`. */
  readonly url: string;
  /** What the server counted so far. */
  stats(): ServerStats;
  /** Closes every connection with 1001 and the port. Resolves when both are done. */
  stop(): Promise<void>;
}

/** How long stopping waits for clients to answer the close. */
const CLOSE_GRACE_MS = 1000;
/** However few clients there may be at once, so many may be asking for it. */
const FEWEST_WAITING = 256;

/**
 * Starts a server on this thread.
 *
 * @throws {RangeError} If an option is out of range.
 * @throws {Error} If the address cannot be listened on; the message says why.
 */
// deno-lint-ignore require-await
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  validateServerOptions(options);
  const stopping = new AbortController();
  const context = createServerContext(options, stopping.signal);
  const connections = new Set<Connection>();
  let lastNumber = 0;
  const listener = listen(options);
  const clients = new HttpClients(listener, {
    requestTimeoutMs: options.helloTimeoutMs,
    // All clients that come at once wait for a moment, those too that are then refused for a limit.
    mostWaiting: Math.max(FEWEST_WAITING, options.limits.maxConnections),
  });
  void clients.serve((request, ip) => {
    const accepted = upgrade(context, request, { number: ++lastNumber, ip });
    if (accepted instanceof Response) return { response: accepted, upgraded: false };
    const { connection, response } = accepted;
    connections.add(connection);
    connection.closed.then(() => connections.delete(connection));
    return { response, upgraded: true };
  });
  let stopped: Promise<void> | null = null;
  const stop = () => stopped ??= stopListening();
  async function stopListening(): Promise<void> {
    stopping.abort(new Error("the server is stopping"));
    // First, so that who comes back at once is not served by a server on its way out.
    clients.close();
    for (const connection of connections) connection.close(1001);
    await settleWithin([...connections].map(({ closed }) => closed), CLOSE_GRACE_MS);
    for (const connection of connections) connection.drop();
  }
  const { port } = listener.addr;
  return {
    port,
    url: `ws://${urlHost(options.hostname)}:${port}`,
    stats: () => readStats(context.state),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function listen({ hostname, port }: ServerOptions): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    const why = error instanceof Deno.errors.AddrInUse
      ? "the port is in use"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new Error(`Cannot listen on ${hostname}:${port} as ${why}`, { cause: error });
  }
}

/** Makes a WebSocket of a request, or says why it cannot be one. */
function upgrade(
  context: ServerContext,
  request: Request,
  client: { number: number; ip: string },
): Response | { connection: Connection; response: Response } {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return new Response("This is a WebSocket server: the request must ask for an upgrade.\n", {
      status: 426,
      headers: { upgrade: "websocket", connection: "Upgrade" },
    });
  }
  if (!asksForToken(context.options) && isForeignPage(request)) {
    return new Response("Pages of other sites are refused where no token is asked for.\n", {
      status: 403,
    });
  }
  try {
    const { socket, response } = Deno.upgradeWebSocket(request, {
      idleTimeout: context.options.idleTimeoutSeconds,
    });
    return { connection: new Connection(context, socket, client), response };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return new Response(`Cannot upgrade the request: ${why}\n`, { status: 400 });
  }
}

/**
 * Does the request come from a page of another site? Where no token is asked for, any page that a browser of this
 * machine shows could otherwise call the tools.
 */
function isForeignPage(request: Request): boolean {
  const origin = request.headers.get("origin");
  if (origin === null) return false;
  return URL.parse(origin)?.host !== request.headers.get("host");
}

/** The host under which a client on this machine reaches the server. */
function urlHost(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::") return "[::1]";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

async function settleWithin(promises: Promise<void>[], milliseconds: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([Promise.all(promises), late]);
  clearTimeout(timer);
}
