import { exai } from "../protocols/exai.ts";

/**
 * As little as a client can do: a native WebSocket that sends one and the same call, and parses every
 * reply but looks at none. No ids, no clock, no account; it takes any frame for a reply.
 */
export class BareClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #call: string;
  readonly #closed = Promise.withResolvers<void>();

  private constructor(socket: WebSocket, call: string) {
    this.#socket = socket;
    this.#call = call;
    socket.onclose = () => this.#closed.resolve();
  }

  /**
   * Opens a socket and greets.
   *
   * @throws {Error} if it does not open, or closes at once
   */
  static async open(
    url: string,
    { tool, argsJson }: { tool: string; argsJson: string },
  ): Promise<BareClient> {
    const socket = new WebSocket(url);
    const greeted = Promise.withResolvers<void>();
    const fail = () => greeted.reject(new Error(`Cannot open a bare WebSocket at ${url}`));
    socket.onerror = socket.onclose = fail;
    socket.onmessage = () => greeted.resolve();
    socket.onopen = () => {
      for (const frame of exai.open({ sessionId: "bare", token: null }).send) socket.send(frame);
    };
    await greeted.promise;
    return new BareClient(socket, exai.encodeCall("bare-1", tool, argsJson));
  }

  /**
   * Keeps calls in flight for a time, then lets the last ones come in.
   *
   * @returns how many replies came
   * @throws {Error} if the socket closes meanwhile
   */
  async run({ inFlight, durationMs }: { inFlight: number; durationMs: number }): Promise<number> {
    const socket = this.#socket;
    const call = this.#call;
    const done = Promise.withResolvers<void>();
    let replies = 0;
    let outstanding = inFlight;
    let over = false;
    const timer = setTimeout(() => over = true, durationMs);
    socket.onmessage = ({ data }) => {
      if (JSON.parse(data) !== null) replies++;
      if (!over) socket.send(call);
      else if (--outstanding === 0) done.resolve();
    };
    for (let index = 0; index < inFlight; index++) socket.send(call);
    const lost = this.#closed.promise.then(() => {
      throw new Error("Cannot go on as the bare WebSocket was closed");
    });
    try {
      await Promise.race([done.promise, lost]);
    } finally {
      clearTimeout(timer);
    }
    return replies;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close(1000);
    await this.#closed.promise;
  }
}
