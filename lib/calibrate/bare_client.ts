import type { Message } from "../client/connection.ts";
import { exai } from "../protocols/exai.ts";

/** Sets the ids of bare clients apart. */
let clients = 0;

/**
 * As little as a client can do: a native WebSocket that sends calls with ids of their own (servers may answer a re-used
 * one from a cache), and parses every reply but looks at none. It takes any frame for a reply.
 */
export class BareClient implements AsyncDisposable {
  /** Since the client was opened. */
  replies = 0;
  readonly #socket: WebSocket;
  readonly #call: Message;
  readonly #prefix = `bare${++clients}-`;
  readonly #closed = Promise.withResolvers<void>();
  #drained = Promise.withResolvers<void>();
  #sent = 0;
  #isStopped = false;

  private constructor(socket: WebSocket, call: Message) {
    this.#socket = socket;
    this.#call = call;
    socket.onclose = () => this.#closed.resolve();
    socket.onmessage = ({ data }) => {
      if (JSON.parse(data) !== null) this.replies++;
      if (!this.#isStopped) this.#send();
      else if (this.replies === this.#sent) this.#drained.resolve();
    };
  }

  /** @throws {Error} if the socket does not open, or closes at once */
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

  /** Keeps so many calls in flight until it is stopped. */
  start(inFlight: number): void {
    this.#isStopped = false;
    this.#drained = Promise.withResolvers();
    for (let index = 0; index < inFlight; index++) this.#send();
  }

  /**
   * Sends nothing more, and waits for the last replies.
   *
   * @throws {Error} if the socket has closed meanwhile
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const lost = this.#closed.promise.then(() => {
      throw new Error("Cannot go on as the bare WebSocket was closed");
    });
    await Promise.race([this.#drained.promise, lost]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close(1000);
    await this.#closed.promise;
  }

  #send(): void {
    const { tool, argsJson } = this.#call;
    this.#socket.send(exai.encodeCall(this.#prefix + ++this.#sent, tool, argsJson));
  }
}
