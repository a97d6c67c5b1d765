/**
 * A real server that speaks the protocol correctly except for scripted faults, to test that a
 * client accounts for every frame.
 *
 * @module
 */

import { type CuttableListener, listenCuttable } from "./cuttable_listener.ts";

/** How a call is answered. Brackets list the frames in the order in which they are sent. */
export type Behaviour =
  /** [stream_complete, result] */
  | { kind: "ok" }
  /** [result for another id], nothing for this one */
  | { kind: "wrongId" }
  /** [stream_complete, result, result again] */
  | { kind: "duplicate" }
  /** [result for an id never sent, stream_complete, result] */
  | { kind: "orphan" }
  /** `ok` after `ms`; later calls do not wait */
  | { kind: "late"; ms: number }
  /** `ok` after `ms`; later calls on the connection wait, as the protocol demands */
  | { kind: "delay"; ms: number }
  /** `ok` after `ms`; until then nothing is answered on any connection */
  | { kind: "freeze"; ms: number }
  /** nothing */
  | { kind: "silent" }
  /** [text that is not JSON], nothing for this call */
  | { kind: "garbage" }
  /** `ok` in binary frames */
  | { kind: "binary" }
  /** [JSON that the protocol does not define], nothing for this call */
  | { kind: "unknownShape" }
  /** a close frame instead of the answer */
  | { kind: "closeHalfway"; code: number; reason?: string }
  /** the TCP connection is cut instead of the answer, without a close frame */
  | { kind: "abruptClose" }
  /** [OVER_CAPACITY without a request_id] */
  | { kind: "rateLimitNoId" }
  /** [TOOL_NOT_FOUND with neither op nor request_id] */
  | { kind: "errorNoId" }
  /** [INTERNAL_ERROR for this call] */
  | { kind: "toolError" }
  /** `rateLimitNoId` the first time on a connection, then nothing: the frame would be identical */
  | { kind: "identicalFrameDrop" }
  /** [result] */
  | { kind: "okWithoutStreamComplete" }
  /** [result marked `from_cache`, without `ok`] */
  | { kind: "fromCache" }
  /** [progress, progress, stream_complete, result] */
  | { kind: "progressThenOk" };

/** How a connection is accepted. */
export type Handshake =
  | { kind: "ok" }
  /** nothing is ever answered, not even the hello */
  | { kind: "noHelloAck" }
  /** hello_ack ok:false, then close 4003 */
  | { kind: "helloRefused" }
  /** the upgrade is refused with this status */
  | { kind: "httpStatus"; status: number };

interface FaultyServerOptions {
  /** One per call over all connections, then `ok`; or a function of the call's number, from 1. */
  script?: Behaviour[] | ((call: number) => Behaviour);
  /** One per connection, then `ok`; or a function of the connection's number, from 1. */
  handshakes?: Handshake[] | ((connection: number) => Handshake);
  /** The answer to the Nth ping, from 1. Default: a pong. */
  pings?: (ping: number) => "pong" | "unknown" | "silent" | "rateLimited" | "close";
  /** Delay of each message in the layers of the server: a call passes both, a ping only routing. */
  delays?: { routingMs?: number; toolMs?: number };
}

const OK = { kind: "ok" } as const;

class FaultyServer implements AsyncDisposable {
  readonly url: string;
  callsSeen = 0;
  /** Includes unknown ops that start with `ping`. */
  pingsSeen = 0;
  /** Frames after the handshake, including those that the client was gone for. */
  framesSent = 0;
  connectionsSeen = 0;
  /** Resolves when a freeze is over. */
  frozen = Promise.resolve();
  readonly stopped = new AbortController();
  readonly options: FaultyServerOptions;
  readonly #listener: CuttableListener;

  constructor(options: FaultyServerOptions) {
    this.options = options;
    this.#listener = listenCuttable((request, cut) => {
      const handshake = pick(options.handshakes, ++this.connectionsSeen);
      if (handshake.kind === "httpStatus") return new Response(null, { status: handshake.status });
      const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
      new FaultySession(this, socket, { handshake, cut });
      return response;
    });
    this.url = `ws://127.0.0.1:${this.#listener.port}`;
  }

  stop(): Promise<void> {
    this.stopped.abort();
    return this.#listener.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Starts on a free loopback port. */
// deno-lint-ignore require-await
export async function startFaultyServer(options: FaultyServerOptions = {}): Promise<FaultyServer> {
  return new FaultyServer(options);
}

/** The Nth entry of a script, from 1; `ok` after its end. */
function pick<T>(script: T[] | ((nth: number) => T) = [], nth: number): T | typeof OK {
  return (Array.isArray(script) ? script[nth - 1] : script(nth)) ?? OK;
}

/** One connection; calls are answered one at a time, in order. */
class FaultySession {
  readonly #server: FaultyServer;
  readonly #socket: WebSocket;
  readonly #cut: () => void;
  #greeted = false;
  #saidRateLimit = false;
  #previous: Promise<void> = Promise.resolve();

  constructor(
    server: FaultyServer,
    socket: WebSocket,
    { handshake, cut }: { handshake: Handshake; cut: () => void },
  ) {
    this.#server = server;
    this.#socket = socket;
    this.#cut = cut;
    socket.onerror = (event) => event.preventDefault();
    socket.onmessage = ({ data }) => {
      if (this.#greeted) this.#receive(JSON.parse(data));
      else this.#greet(JSON.parse(data), handshake);
    };
  }

  #greet(hello: { session_id?: string }, handshake: Handshake): void {
    const { session_id = "random" } = hello;
    switch (handshake.kind) {
      case "ok":
        this.#greeted = true;
        this.#socket.send(JSON.stringify({ op: "hello_ack", ok: true, session_id }));
        return;
      case "helloRefused":
        this.#socket.send(JSON.stringify({ op: "hello_ack", ok: false, error: "unauthorized" }));
        this.#socket.close(4003, "unauthorized");
        return;
      case "noHelloAck":
      case "httpStatus":
        return;
      default:
        return handshake satisfies never;
    }
  }

  #receive({ op, request_id: id }: { op: string; request_id: string }): void {
    if (op === "list_tools") {
      const tools = [{ name: "status", description: "", inputSchema: { type: "object" } }];
      this.#socket.send(JSON.stringify({ op: "list_tools_res", tools, timestamp: "now" }));
      return;
    }
    const { routingMs = 0, toolMs = 0 } = this.#server.options.delays ?? {};
    if (op.startsWith("ping")) {
      const nth = ++this.#server.pingsSeen;
      this.#previous = this.#previous.then(() => this.#after(routingMs))
        .then(() => this.#pong(op, id, nth));
      return;
    }
    const behaviour = pick(this.#server.options.script, ++this.#server.callsSeen);
    this.#previous = this.#previous.then(() => this.#after(routingMs + toolMs))
      .then(() => this.#answer(id, behaviour));
  }

  #after(milliseconds: number): Promise<void> | void {
    return milliseconds > 0 ? this.#wait(milliseconds) : undefined;
  }

  /** Ops other than `ping` itself are unknown. */
  #pong(op: string, id: string, nth: number): void {
    const { pings = () => "pong" } = this.#server.options;
    const answer = op === "ping" ? pings(nth) : "unknown";
    switch (answer) {
      case "pong":
        return this.#send({ op: "pong", request_id: id });
      case "unknown":
        return this.#send({
          op: "error",
          error: { code: "INVALID_REQUEST", message: `Unknown operation: ${op}` },
        });
      case "rateLimited":
        return this.#send(RATE_LIMIT);
      case "close":
        return this.#cut();
      case "silent":
        return;
      default:
        return answer satisfies never;
    }
  }

  async #answer(id: string, behaviour: Behaviour): Promise<void> {
    await this.#server.frozen;
    switch (behaviour.kind) {
      case "ok":
        return this.#send(streamComplete(id), result(id));
      case "wrongId":
        return this.#send(result(`wrong-${id}`));
      case "duplicate":
        return this.#send(streamComplete(id), result(id), result(id));
      case "orphan":
        return this.#send(result(`orphan-${id}`), streamComplete(id), result(id));
      case "late":
        void this.#wait(behaviour.ms).then(() => this.#answer(id, OK));
        return;
      case "delay":
        await this.#wait(behaviour.ms);
        return this.#answer(id, OK);
      case "freeze":
        this.#server.frozen = this.#wait(behaviour.ms);
        return this.#answer(id, OK);
      case "silent":
        return;
      case "garbage":
        return this.#send("<not JSON>");
      case "binary":
        return this.#send(encode(streamComplete(id)), encode(result(id)));
      case "unknownShape":
        return this.#send({ weather: "fine" });
      case "closeHalfway":
        return this.#socket.close(behaviour.code, behaviour.reason);
      case "abruptClose":
        return this.#cut();
      case "rateLimitNoId":
        return this.#send(RATE_LIMIT);
      case "errorNoId":
        return this.#send({ error: { code: "TOOL_NOT_FOUND", message: "Tool not found: x" } });
      case "toolError":
        return this.#send(toolError(id));
      case "identicalFrameDrop":
        if (!this.#saidRateLimit) this.#send(RATE_LIMIT);
        this.#saidRateLimit = true;
        return;
      case "okWithoutStreamComplete":
        return this.#send(result(id));
      case "fromCache":
        return this.#send({ ...result(id), ok: undefined, from_cache: true });
      case "progressThenOk":
        return this.#send(progress(id), progress(id), streamComplete(id), result(id));
      default:
        return behaviour satisfies never;
    }
  }

  #send(...frames: (object | string | Uint8Array<ArrayBuffer>)[]): void {
    for (const frame of frames) {
      this.#server.framesSent++;
      if (this.#socket.readyState !== WebSocket.OPEN) continue;
      const raw = typeof frame === "string" || frame instanceof Uint8Array;
      this.#socket.send(raw ? frame : JSON.stringify(frame));
    }
  }

  /** Resolves early when the server stops. */
  #wait(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    const { signal } = this.#server.stopped;
    const stop = () => resolve();
    signal.addEventListener("abort", stop, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    });
  }
}

function streamComplete(id: string): object {
  return { op: "stream_complete", request_id: id, timestamp: "2025-10-27T00:00:00Z" };
}

function progress(id: string): object {
  return { op: "progress", request_id: id };
}

function result(id: string): object {
  const outputs = [{ type: "text", text: "fine" }];
  return { op: "call_tool_res", request_id: id, ok: true, outputs };
}

function toolError(id: string): object {
  const error = { code: "INTERNAL_ERROR", message: "the tool raised" };
  return { op: "call_tool_res", request_id: id, error };
}

const RATE_LIMIT = {
  op: "error",
  error: {
    code: "OVER_CAPACITY",
    message: "Rate limit exceeded: user_rate_limit_exceeded (retry after 0.1s)",
    details: { reason: "user_rate_limit_exceeded", client_ip: "127.0.0.1" },
  },
};

function encode(frame: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(frame));
}
