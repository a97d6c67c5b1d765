/**
 * A hand-written WebSocket server that makes mistakes no library allows. It speaks exai correctly
 * except for one fault, from a given connection or call on.
 *
 * @module
 */

import { parseJson } from "./scripted_server.ts";

export const FAULTS = [
  // On opening.
  "noUpgrade",
  "dribbledUpgrade",
  "hugeHeader",
  "status503",
  "noHello",
  "floodBeforeHello",
  // Instead of the answer to a call.
  "reset",
  "halfClose",
  "badUtf8",
  "rsvBits",
  "giantFrame",
  "badClose",
  "emptyClose",
  "neverAnswered",
  "echo",
  "secretError",
  "secretClose",
  // In addition to a correct answer, or around it. Deno's client accepts masked frames.
  "maskedFrame",
  "fragments",
  "closeNeverAnswered",
  "pingFlood",
  "notifications",
  "deepJson",
] as const;

export type Fault = typeof FAULTS[number];

export const OPENING_FAULTS: readonly Fault[] = FAULTS.slice(0, 6);
/** Every call is still answered in time and once, so a run can pass. */
export const HARMLESS_FAULTS: readonly Fault[] = FAULTS.slice(-6);

interface HostileOptions {
  fault: Fault;
  /** Connections accepted correctly before the first opening fault. Default: none. */
  soundConnections?: number;
  /** Calls answered correctly, over all connections, before the first fault. Default: none. */
  soundCalls?: number;
  /** What the faults about secrets send. */
  secrets?: readonly string[];
}

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
/** Floods are long enough to do harm, but finite so that tests end. */
const FLOOD_FRAMES = 20_000;
const HEADER_BYTES = 300 * 2 ** 20;

/** Starts on a free loopback port. */
export function startHostileServer(
  options: HostileOptions,
): AsyncDisposable & { readonly url: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const shared: Shared = { ...options, connections: 0, calls: 0, stopped: new AbortController() };
  const open = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const conn of listener) {
      conn.setNoDelay(true);
      const nth = ++shared.connections;
      const session = new Session(conn, shared).run(nth).catch(ignoreEnd).finally(() => {
        tryClose(conn);
        open.delete(session);
      });
      open.add(session);
    }
  })().catch(ignoreEnd);
  return {
    url: `ws://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      shared.stopped.abort();
      listener.close();
      await accepting;
      await Promise.all(open);
    },
  };
}

interface Shared extends HostileOptions {
  connections: number;
  calls: number;
  stopped: AbortController;
}

/** One connection. */
class Session {
  readonly #conn: Deno.TcpConn;
  readonly #shared: Shared;
  #buffer = new Uint8Array(0);

  constructor(conn: Deno.TcpConn, shared: Shared) {
    this.#conn = conn;
    this.#shared = shared;
    shared.stopped.signal.addEventListener("abort", () => tryClose(conn), { once: true });
  }

  async run(nth: number): Promise<void> {
    const { fault, soundConnections = 0 } = this.#shared;
    const opening = nth > soundConnections && OPENING_FAULTS.includes(fault) ? fault : null;
    const head = await this.#readHead();
    if (opening === "noUpgrade") return await this.#stayUntilGone();
    if (opening === "status503") {
      return await this.#write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    }
    const accept = await acceptKey(/sec-websocket-key: *(\S+)/i.exec(head)?.[1] ?? "");
    const upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
      `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`;
    if (opening === "hugeHeader") return await this.#flood(`${upgrade}X-Long: `, HEADER_BYTES);
    if (opening === "dribbledUpgrade") {
      for (const character of `${upgrade}\r\n`) {
        await this.#write(character);
        await this.#pause(50);
      }
    } else await this.#write(`${upgrade}\r\n`);
    if (opening === "floodBeforeHello") {
      for (let nth = 0; nth < FLOOD_FRAMES; nth++) await this.#json({ op: "news", nth });
    }
    for (let isOpen = false;;) {
      const frame = await this.#readFrame();
      if (frame === null) return;
      if (frame.opcode === CLOSE) {
        if (fault === "closeNeverAnswered") return await this.#stayUntilGone();
        return await this.#frame(CLOSE, frame.payload);
      }
      if (frame.opcode !== TEXT) continue;
      const text = new TextDecoder().decode(frame.payload);
      const message: { op?: string; request_id: string } | null = parseJson(text);
      if (!isOpen && message?.op !== "hello") return await this.#frame(CLOSE, [0x0f, 0xa1]);
      isOpen = true;
      if (message?.op === "hello") {
        if (opening !== "noHello") await this.#json({ op: "hello_ack", ok: true, session_id: "h" });
      } else if (message?.op === "list_tools") {
        await this.#json({ op: "list_tools_res", tools: [{ name: "status" }] });
      } else if (message?.op === "call_tool") await this.#answer(message.request_id, text);
    }
  }

  async #answer(id: string, text: string): Promise<void> {
    const { fault, soundCalls = 0, secrets = [] } = this.#shared;
    if (OPENING_FAULTS.includes(fault) || ++this.#shared.calls <= soundCalls) {
      return await this.#sound(id);
    }
    const result = encode({ op: "call_tool_res", request_id: id, ok: true, outputs: [] });
    switch (fault) {
      case "reset":
        return this.#end();
      case "halfClose":
        await this.#conn.closeWrite();
        return await this.#stayUntilGone();
      case "badUtf8":
        return await this.#frame(TEXT, [0x22, 0xff, 0xfe, 0x22]);
      case "rsvBits":
        return await this.#raw([0xf1, result.length], result);
      case "giantFrame":
        // 127: the next eight bytes are the length, here 1 GiB.
        await this.#raw([0x81, 127, 0, 0, 0, 0, 0x40, 0, 0, 0], result);
        return await this.#stayUntilGone();
      case "maskedFrame":
        return await this.#raw([0x81, 0x80 | result.length, 0, 0, 0, 0], result);
      case "badClose":
        return await this.#raw([0x88, 1, 3]);
      case "emptyClose":
        return await this.#raw([0x88, 0]);
      case "neverAnswered":
        return;
      case "echo":
        return await this.#frame(TEXT, new TextEncoder().encode(text));
      case "secretError":
        return await this.#json({
          ...{ op: "call_tool_res", request_id: id, ok: false },
          error: { code: secrets[0] ?? "E", message: `<b>no</b> ${secrets.join(" ")}` },
        });
      case "secretClose": {
        const reason = new TextEncoder().encode((secrets[0] ?? "").slice(0, 100));
        await this.#frame(CLOSE, [0x0f, 0xa0, ...reason]);
        return this.#end();
      }
      case "fragments":
        await this.#raw([TEXT, 5], result.subarray(0, 5));
        await this.#raw([0x80 | PING, 0]);
        await this.#raw([0, 5], result.subarray(5, 10));
        return await this.#raw([0x80, result.length - 10], result.subarray(10));
      case "pingFlood":
        for (let nth = 0; nth < 50; nth++) await this.#raw([0x80 | PING, 0]);
        return await this.#sound(id);
      case "notifications": {
        const news = frameOf(TEXT, encode({ op: "progress", request_id: id }));
        for (let nth = 0; nth < 100; nth++) await this.#raw(news);
        return await this.#sound(id);
      }
      case "deepJson": {
        const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
        const head = `{"op":"call_tool_res","request_id":${JSON.stringify(id)},"ok":true`;
        return await this.#frame(TEXT, new TextEncoder().encode(`${head},"outputs":${deep}}`));
      }
      default:
        return await this.#sound(id);
    }
  }

  #sound(id: string): Promise<void> {
    return this.#json({ op: "call_tool_res", request_id: id, ok: true, outputs: [] });
  }

  #json(value: unknown): Promise<void> {
    return this.#frame(TEXT, encode(value));
  }

  #frame(opcode: number, payload: ArrayLike<number>): Promise<void> {
    return this.#raw(frameOf(opcode, payload));
  }

  #raw(...parts: ArrayLike<number>[]): Promise<void> {
    return this.#writeBytes(joined(parts));
  }

  #write(text: string): Promise<void> {
    return this.#writeBytes(new TextEncoder().encode(text));
  }

  async #writeBytes(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }

  async #flood(head: string, bytes: number): Promise<void> {
    await this.#write(head);
    const chunk = "x".repeat(2 ** 16);
    for (let sent = 0; sent < bytes; sent += chunk.length) await this.#write(chunk);
  }

  /** Closes with unread data, which TCP turns into a reset. */
  #end(): void {
    tryClose(this.#conn);
  }

  async #stayUntilGone(): Promise<void> {
    const bytes = new Uint8Array(4096);
    while (await this.#conn.read(bytes) !== null);
  }

  async #pause(milliseconds: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.#shared.stopped.signal.throwIfAborted();
  }

  async #readHead(): Promise<string> {
    for (;;) {
      const text = new TextDecoder().decode(this.#buffer);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#buffer = this.#buffer.subarray(end + 4);
        return text;
      }
      if (!await this.#more()) throw new Deno.errors.UnexpectedEof();
    }
  }

  /** `null` once the client is gone. */
  async #readFrame(): Promise<{ opcode: number; payload: Uint8Array } | null> {
    for (;;) {
      const frame = takeFrame(this.#buffer);
      if (frame !== null) {
        this.#buffer = this.#buffer.subarray(frame.end);
        return frame;
      }
      if (!await this.#more()) return null;
    }
  }

  async #more(): Promise<boolean> {
    const bytes = new Uint8Array(65_536);
    const length = await this.#conn.read(bytes);
    if (length === null) return false;
    this.#buffer = joined([this.#buffer, bytes.subarray(0, length)]);
    return true;
  }
}

/** Clients mask their frames (RFC 6455, section 5.2). */
function takeFrame(bytes: Uint8Array) {
  if (bytes.length < 2) return null;
  const short = bytes[1]! & 0x7f;
  const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
  const start = 2 + lengthBytes + 4;
  if (bytes.length < start) return null;
  let length = lengthBytes === 0 ? short : 0;
  for (const byte of bytes.subarray(2, 2 + lengthBytes)) length = length * 256 + byte;
  if (bytes.length < start + length) return null;
  const mask = bytes.subarray(start - 4, start);
  const payload = bytes.slice(start, start + length).map((byte, index) => byte ^ mask[index % 4]!);
  return { opcode: bytes[0]! & 0x0f, payload, end: start + length };
}

function frameOf(opcode: number, payload: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const head = length < 126
    ? [length]
    : length < 65_536
    ? [126, length >> 8, length & 255]
    : [127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (length >> shift) & 255)];
  return joined([[0x80 | opcode, ...head], payload]);
}

function joined(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** RFC 6455, section 4.2.2. */
async function acceptKey(key: string): Promise<string> {
  const text = new TextEncoder().encode(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", text)).toBase64();
}

/** Ignores errors of a client that is gone or a server that is stopped. */
function ignoreEnd(error: unknown): void {
  const ends = ["BadResource", "BrokenPipe", "ConnectionReset", "UnexpectedEof", "Interrupted"];
  const { name } = error as Error;
  if (!ends.includes(name) && name !== "AbortError") throw error;
}

function tryClose(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch (error) {
    ignoreEnd(error);
  }
}
