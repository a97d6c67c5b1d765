import { answerMessage } from "./answer_message.ts";
import { exceedsUtf8Bytes } from "./byte_length.ts";
import { helloAcceptedFrame } from "./frames.ts";
import { dropSocket } from "./drop_socket.ts";
import { decideHello, HELLO_MISSED } from "./hello.ts";
import { answerMcp, opensMcpDoor } from "./mcp_door.ts";
import { RecentFrames } from "./recent_frames.ts";
import type { Peer, ServerContext } from "./server_context.ts";

/** Waiting for the socket, waiting for the hello, answering EXAI or MCP messages, ended. */
type Phase = "opening" | "greeting" | "serving" | "mcp" | "ended";

interface QueuedMessage {
  text: string;
  receivedMs: number;
}

/** Unread bytes beyond which the server stops answering a client. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;
/** Characters sent between two checks of `bufferedAmount`, which is a call into the runtime. */
const UNREAD_CHECK_INTERVAL = 1024 * 1024;
const UNREAD_POLL_MS = 5;

/** Time for a client to answer a close before its socket is dropped. */
const CLOSE_ANSWER_MS = 5_000;

/** Queued messages answered before other connections get their turn. */
const QUEUE_TURN = 64;

/**
 * One client: its hello, then its messages, strictly in order and one at a time. A message received
 * while a call runs waits in a bounded queue, because the socket cannot be told to stop reading.
 */
export class Connection implements Peer {
  readonly number: number;
  readonly ip: string;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  readonly #server: ServerContext;
  readonly #socket: WebSocket;
  readonly #queue: QueuedMessage[] = [];
  readonly #recent = new RecentFrames();
  #phase: Phase = "opening";
  #sessionId = "";
  #queuedCharacters = 0;
  #answering = false;
  #uncheckedCharacters = 0;
  #congested = false;
  #helloTimer: ReturnType<typeof setTimeout> | undefined;
  #dropTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    server: ServerContext,
    socket: WebSocket,
    { number, ip }: { number: number; ip: string },
  ) {
    this.#server = server;
    this.#socket = socket;
    this.number = number;
    this.ip = ip;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#open();
    socket.onmessage = (event) => this.#receive(event.data);
    // The close event that follows is enough.
    socket.onerror = (event) => event.preventDefault();
    socket.onclose = () => {
      this.#end();
      clearTimeout(this.#dropTimer);
      resolve();
    };
  }

  get sessionId(): string {
    return this.#sessionId;
  }

  send(frame: string): boolean {
    if (this.#phase === "ended" || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(frame);
    this.#server.state.counters.framesSent++;
    this.#uncheckedCharacters += frame.length;
    if (this.#uncheckedCharacters > UNREAD_CHECK_INTERVAL) {
      this.#uncheckedCharacters = 0;
      this.#congested = this.#socket.bufferedAmount > MAX_UNREAD_BYTES;
    }
    return true;
  }

  sendRepeatable(frame: string): boolean {
    if (this.#server.dialect.dropsRepeatedFrames && !this.#recent.add(frame, performance.now())) {
      this.#server.state.counters.framesDropped++;
      return false;
    }
    return this.send(frame);
  }

  /** Closes the connection and releases its slot. Does nothing if it has ended. */
  close(code: number, reason = ""): void {
    this.#end();
    // A socket that is still opening is closed by its open handler.
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.close(code, reason);
    this.#dropTimer = setTimeout(() => this.drop(), CLOSE_ANSWER_MS);
  }

  /** Ends a connection whose client does not answer a close. */
  drop(): void {
    dropSocket(this.#socket);
  }

  #open(): void {
    const { state, options } = this.#server;
    if (this.#phase === "ended") return this.#socket.close(1001);
    const refusal = state.slots.acquire(this.ip);
    if (refusal !== null) {
      state.counters.connectionsRefused++;
      return this.close(1008, refusal);
    }
    state.counters.connectionsAccepted++;
    this.#phase = "greeting";
    this.#helloTimer = setTimeout(
      () => this.close(HELLO_MISSED.code, HELLO_MISSED.reason),
      options.helloTimeoutMs,
    );
  }

  #end(): void {
    const held = this.#phase !== "opening" && this.#phase !== "ended";
    this.#phase = "ended";
    clearTimeout(this.#helloTimer);
    this.#queue.length = 0;
    if (held) this.#server.state.slots.release(this.ip);
  }

  #receive(data: string | ArrayBuffer): void {
    const receivedMs = performance.now();
    const { maxFrameBytes } = this.#server.options;
    const oversized = typeof data === "string"
      ? exceedsUtf8Bytes(data, maxFrameBytes)
      : data.byteLength > maxFrameBytes;
    if (oversized) return this.close(1009);
    const text = typeof data === "string" ? data : new TextDecoder().decode(data);
    switch (this.#phase) {
      case "greeting":
        return this.#greet(text);
      case "serving":
        return this.#accept({ text, receivedMs });
      case "mcp":
        return void this.send(answerMcp(text, this.#server.dispatcher.toolsJson));
      case "opening":
      case "ended":
        return;
      default:
        return this.#phase satisfies never;
    }
  }

  #greet(text: string): void {
    if (this.#server.dialect.hasMcpDoor && opensMcpDoor(text)) {
      clearTimeout(this.#helloTimer);
      this.#phase = "mcp";
      return void this.send(answerMcp(text, this.#server.dispatcher.toolsJson));
    }
    const decision = decideHello(text, this.#server);
    if (decision.kind === "refused") {
      this.#server.state.counters.handshakesRefused++;
      if (decision.frame !== null) this.send(decision.frame);
      return this.close(decision.code, decision.reason);
    }
    clearTimeout(this.#helloTimer);
    this.#sessionId = decision.sessionId;
    this.#phase = "serving";
    this.send(helloAcceptedFrame(decision.sessionId));
  }

  /** Answers the message now, or queues it if an earlier one is still being answered. */
  #accept(message: QueuedMessage): void {
    if (!this.#answering) {
      const pending = answerMessage(this.#server, this, message);
      if (pending || this.#congested) void this.#answerQueue(pending);
      return;
    }
    const { maxQueuedMessages, maxFrameBytes } = this.#server.options;
    this.#queuedCharacters += message.text.length;
    this.#queue.push(message);
    if (this.#queue.length > maxQueuedMessages || this.#queuedCharacters > 2 * maxFrameBytes) {
      this.close(1008, `Too many queued messages (${this.#queue.length})`);
    }
  }

  /** Waits for `pending`, then answers queued messages until none is left. */
  async #answerQueue(pending: void | Promise<void>): Promise<void> {
    this.#answering = true;
    await pending;
    for (let answered = 1;; answered++) {
      if (this.#congested) await this.#drain();
      const message = this.#queue.shift();
      if (message === undefined) break;
      this.#queuedCharacters -= message.text.length;
      await answerMessage(this.#server, this, message);
      if (answered % QUEUE_TURN === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.#answering = false;
  }

  /** Waits until the client has read enough. Polls, because the socket has no event for that. */
  async #drain(): Promise<void> {
    while (this.#phase !== "ended" && this.#socket.bufferedAmount > MAX_UNREAD_BYTES) {
      await new Promise((resolve) => setTimeout(resolve, UNREAD_POLL_MS));
    }
    this.#congested = false;
  }
}
