import type { Message } from "../client/connection.ts";
import { exai } from "../protocols/exai.ts";

/** Sets the ids of bare clients apart. */
let clients = 0;

/**
 * As little as a client can do: a native WebSocket that sends calls with ids of their own (servers may
 * answer a re-used one from a cache), and parses every reply but looks at none. No clock, no account; it
 * takes any frame for a reply.
 */
export class BareClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #call: Message;
  readonly #prefix = `bare${++clients}-`;
  readonly #closed = Promise.withResolvers<void>();
  #sent = 0;

  private constructor(socket: WebSocket, call: Message) {
    this.#socket = socket;
    this.#call = call;
    socket.onclose = () => this.#closed.resolve();
  }

  /**
   * Opens a socket and greets.
   *
   * @throws {Error} if it does not open, or closes at once
   */
  static async open(url: string, call: Message): Promise<BareClient> {
    const socket = new WebSocket(url);
    const greeted = Promise.withResolvers<void>();
    const fail = () => greeted.reject(new Error(`Cannot open a bare WebSocket at ${url}`));
    socket.onerror = socket.onclose = fail;
    socket.onmessage = () => greeted.resolve();
    socket.onopen = () => {
      for (const frame of exai.open({ sessionId: "bare", token: null }).send) socket.send(frame);
    };
    await greeted.promise;
    return new BareClient(socket, call);
  }

  /**
   * Keeps calls in flight for a time, then lets the last ones come in.
   *
   * @returns how many replies came
   * @throws {Error} if the socket closes meanwhile
   */
  async run({ inFlight, durationMs }: { inFlight: number; durationMs: number }): Promise<number> {
    const socket = this.#socket;
    const prefix = this.#prefix;
    const { tool, argsJson } = this.#call;
    const send = () => socket.send(exai.encodeCall(prefix + ++this.#sent, tool, argsJson));
    const done = Promise.withResolvers<void>();
    let replies = 0;
    let outstanding = inFlight;
    let over = false;
    const timer = setTimeout(() => over = true, durationMs);
    socket.onmessage = ({ data }) => {
      if (JSON.parse(data) !== null) replies++;
      if (!over) send();
      else if (--outstanding === 0) done.resolve();
    };
    for (let index = 0; index < inFlight; index++) send();
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
