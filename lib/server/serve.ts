import { Connection } from "./connection.ts";
import { readStats } from "./server_state.ts";
import type { ServerStats } from "./counters.ts";
import { HttpClients } from "./http_clients.ts";
import { asksForToken, type ServerOptions, validateServerOptions } from "./options.ts";
import { createServerContext } from "./server_context.ts";

/** A running server. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  /** Such as `ws://127.0.0.1:8079`. */
  readonly url: string;
  stats(): ServerStats;
  /** Closes the port, and every connection with 1001. Resolves when all are closed. */
  stop(): Promise<void>;
}

/** Time for clients to answer the close when the server stops. */
const CLOSE_GRACE_MS = 1000;
/** Minimum pending upgrades allowed, however low the connection limit. */
const FEWEST_WAITING = 256;

/**
 * Starts a server on this thread.
 *
 * @throws {RangeError} If an option is out of range.
 * @throws {Error} If it cannot listen; the message says why.
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
    // Clients over the connection limit are refused only after their upgrade, so they wait too.
    mostWaiting: Math.max(FEWEST_WAITING, options.limits.maxConnections),
  });
  void clients.serve((request, ip) =>
    upgrade(request, options, (socket) => {
      const connection = new Connection(context, socket, { number: ++lastNumber, ip });
      connections.add(connection);
      connection.closed.then(() => connections.delete(connection));
    })
  );
  let stopped: Promise<void> | null = null;
  const stop = () => stopped ??= stopListening();
  async function stopListening(): Promise<void> {
    stopping.abort(new Error("the server is stopping"));
    // First, so that a client that reconnects immediately is not accepted.
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

/** Upgrades a request to a WebSocket, or responds with why it cannot. */
function upgrade(
  request: Request,
  options: ServerOptions,
  onUpgrade: (socket: WebSocket) => void,
): Response {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return new Response("This is a WebSocket server: the request must ask for an upgrade.\n", {
      status: 426,
      headers: { upgrade: "websocket", connection: "Upgrade" },
    });
  }
  if (!asksForToken(options) && isForeignPage(request)) {
    return new Response("Pages of other sites are refused where no token is asked for.\n", {
      status: 403,
    });
  }
  try {
    const { socket, response } = Deno.upgradeWebSocket(request, {
      idleTimeout: options.idleTimeoutSeconds,
    });
    onUpgrade(socket);
    return response;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return new Response(`Cannot upgrade the request: ${why}\n`, { status: 400 });
  }
}

/**
 * True if the request comes from a page of another site. Without a token, any page open in a
 * browser on this machine could otherwise call the tools.
 */
function isForeignPage(request: Request): boolean {
  const origin = request.headers.get("origin");
  if (origin === null) return false;
  return URL.parse(origin)?.host !== request.headers.get("host");
}

/** The host for clients on this machine. */
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
