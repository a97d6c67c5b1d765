import type { Message } from "../client/connection.ts";
import { exai } from "../protocols/exai.ts";

/** Number of clients so far; makes their call ids unique. */
let clients = 0;

/**
 * The least that a client can do: a native WebSocket that parses each frame, counts it as a reply
 * and ignores its content. Ids are unique, because servers may answer a reused one from a cache.
 */
export class BareClient implements AsyncDisposable {
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

  /** @throws {Error} if the socket does not open, or closes before the greeting */
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

  /** Keeps calls in flight until stopped. */
  start(inFlight: number): void {
    this.#isStopped = false;
    this.#drained = Promise.withResolvers();
    for (let index = 0; index < inFlight; index++) this.#send();
  }

  /**
   * Stops sending and waits for the last replies.
   *
   * @throws {Error} if the socket was closed
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const lost = this.#closed.promise.then(() => {
      throw new Error("Cannot continue as the bare WebSocket was closed");
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
