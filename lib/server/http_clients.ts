/**
 * The HTTP side of the server: accepts connections, reads their requests and closes idle ones.
 *
 * @module
 */

/** Pause after a failed accept, most likely for want of a file descriptor. */
const ACCEPT_RETRY_MS = 50;

/** Deno's HTTP connection. */
interface HttpConnection {
  nextRequest(): Promise<
    { request: Request; respondWith(response: Response): Promise<void> } | null
  >;
  close(): void;
}

/**
 * Deno's HTTP over an accepted connection. `Deno.serve` is not used: its listener ends for good
 * when descriptors run out, and it neither counts nor times out connections without a request.
 */
const { serveHttp } = Deno as unknown as {
  serveHttp(connection: Deno.TcpConn): HttpConnection;
};

/** Limits for connections that are not WebSockets yet. */
export interface HttpLimits {
  /** Time for a connection to become a WebSocket. */
  requestTimeoutMs: number;
  /** Maximum connections in that state; one more closes the oldest. */
  mostWaiting: number;
}

/** Connections that are not WebSockets yet, oldest first. */
export class HttpClients {
  readonly #listener: Deno.TcpListener;
  readonly #limits: HttpLimits;
  readonly #waiting = new Set<HttpConnection>();
  #isClosed = false;

  constructor(listener: Deno.TcpListener, limits: HttpLimits) {
    this.#listener = listener;
    this.#limits = limits;
  }

  /** Serves clients until closed; never rejects. Status 101 makes the connection a WebSocket. */
  async serve(handler: (request: Request, ip: string) => Response): Promise<void> {
    while (!this.#isClosed) {
      try {
        const connection = await this.#listener.accept();
        const ip = connection.remoteAddr.hostname;
        connection.setNoDelay(true);
        void this.#serveOne(serveHttp(connection), (request) => handler(request, ip));
      } catch {
        if (this.#isClosed) return;
        // Most likely descriptors have run out: free those of idle connections.
        this.#endOldest(Math.ceil(this.#waiting.size / 2));
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
      }
    }
  }

  /** Stops accepting, and closes connections that are not WebSockets. */
  close(): void {
    this.#isClosed = true;
    this.#listener.close();
    this.#endOldest(this.#waiting.size);
  }

  async #serveOne(http: HttpConnection, handler: (request: Request) => Response): Promise<void> {
    const { requestTimeoutMs, mostWaiting } = this.#limits;
    this.#waiting.add(http);
    if (this.#waiting.size > mostWaiting) this.#endOldest(1);
    const timer = setTimeout(() => this.#end(http), requestTimeoutMs);
    try {
      for (let event = await http.nextRequest(); event !== null; event = await http.nextRequest()) {
        const response = handler(event.request);
        const upgraded = response.status === 101;
        if (upgraded) this.#waiting.delete(http);
        await event.respondWith(response);
        if (upgraded) return;
      }
    } catch {
      // The client is gone or sent something other than HTTP.
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
      // It is closed already.
    }
  }
}
