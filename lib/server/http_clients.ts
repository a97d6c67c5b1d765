/**
 * The HTTP side of the server: accepts connections and reads their requests, and ends those that ask for nothing.
 *
 * @module
 */

/** How long to wait after the system has refused to accept a connection, as it does without a free descriptor. */
const ACCEPT_RETRY_MS = 50;

/** An HTTP connection of the runtime. */
interface HttpConnection {
  nextRequest(): Promise<
    { request: Request; respondWith(response: Response): Promise<void> } | null
  >;
  close(): void;
}

/**
 * The runtime's HTTP over a connection that has been accepted. `Deno.serve` is not used, as its listener ends for good
 * when the system has no descriptor left, and it neither counts nor times the connections that never ask for anything.
 */
const { serveHttp } = Deno as unknown as {
  serveHttp(connection: Deno.TcpConn): HttpConnection;
};

/** What a listener's clients may do. */
export interface HttpLimits {
  /** How long a connection may stay without becoming a WebSocket, in milliseconds. */
  requestTimeoutMs: number;
  /** So many may be in that state; one more ends the oldest of them. */
  mostWaiting: number;
}

/** What a handler makes of a request: `upgraded`, when the connection is a WebSocket from here on. */
export interface Answered {
  response: Response;
  upgraded: boolean;
}

/** Connections that have not become WebSockets yet, the oldest first. */
export class HttpClients {
  readonly #listener: Deno.TcpListener;
  readonly #limits: HttpLimits;
  readonly #waiting = new Set<HttpConnection>();
  #isClosed = false;

  constructor(listener: Deno.TcpListener, limits: HttpLimits) {
    this.#listener = listener;
    this.#limits = limits;
  }

  /** Serves all that come until it is closed; never rejects. */
  async serve(handler: (request: Request, ip: string) => Answered): Promise<void> {
    while (!this.#isClosed) {
      try {
        const connection = await this.#listener.accept();
        const ip = connection.remoteAddr.hostname;
        connection.setNoDelay(true);
        void this.#serveOne(serveHttp(connection), (request) => handler(request, ip));
      } catch {
        if (this.#isClosed) return;
        // Most likely no descriptor is free: those that ask for nothing give theirs back.
        this.#endOldest(Math.ceil(this.#waiting.size / 2));
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
      }
    }
  }

  /** Accepts no more, and ends what is not a WebSocket. */
  close(): void {
    this.#isClosed = true;
    this.#listener.close();
    this.#endOldest(this.#waiting.size);
  }

  async #serveOne(http: HttpConnection, handler: (request: Request) => Answered): Promise<void> {
    const { requestTimeoutMs, mostWaiting } = this.#limits;
    this.#waiting.add(http);
    if (this.#waiting.size > mostWaiting) this.#endOldest(1);
    const timer = setTimeout(() => this.#end(http), requestTimeoutMs);
    try {
      for (let event = await http.nextRequest(); event !== null; event = await http.nextRequest()) {
        const { response, upgraded } = handler(event.request);
        if (upgraded) this.#waiting.delete(http);
        await event.respondWith(response);
        if (upgraded) return;
      }
    } catch {
      // The client has gone, or sent no HTTP.
    } finally {
      clearTimeout(timer);
      this.#end(http);
    }
  }

  #endOldest(count: number): void {
    for (const http of [...this.#waiting].slice(0, count)) this.#end(http);
  }

  #end(http: HttpConnection): void {
    if (!this.#waiting.delete(http)) return;
    try {
      http.close();
    } catch {
      // It has ended by itself.
    }
  }
}
