/**
 * Bare clients for tests of servers: one over the native WebSocket that returns frames one by one,
 * and one over TCP that can misbehave in ways that a WebSocket cannot.
 *
 * @module
 */

/** How a connection ended. `code` is 0 without a close frame. */
export interface Closed {
  code: number;
  reason: string;
}

export interface RawClient extends AsyncDisposable {
  readonly socket: WebSocket;
  /** Every frame received so far. */
  readonly frames: string[];
  /** Resolves when the connection has ended in any way; rejects after 5 s. */
  whenClosed(): Promise<Closed>;
  /** Sends text or bytes as they are, anything else as JSON. */
  send(message: unknown): void;
  /** The next frame. Rejects if the connection ends, or after 5 s. */
  next(): Promise<string>;
  /** {@link next}, parsed. */
  nextJson(): Promise<Record<string, unknown>>;
  /** Sends a hello and returns the answer. */
  hello(fields?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Calls a tool and returns the frames up to and including the final one. */
  call(id: string, tool: string, args?: unknown): Promise<Record<string, unknown>[]>;
}

const TIMEOUT_MS = 5000;

/** Opens a WebSocket. */
export async function connectRaw(url: string): Promise<RawClient> {
  const socket = new WebSocket(url);
  const frames: string[] = [];
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<Closed>();
  let taken = 0;
  let wake = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onerror = (event) => {
    event.preventDefault();
    opened.reject(new Error(`Cannot open ${url}: ${(event as ErrorEvent).message}`));
  };
  socket.onmessage = ({ data }) => {
    frames.push(data);
    wake.resolve();
  };
  socket.onclose = ({ code, reason }) => closed.resolve({ code, reason });

  async function next(): Promise<string> {
    while (frames.length <= taken) {
      wake = Promise.withResolvers();
      const end = await withTimeout(Promise.race([wake.promise, closed.promise]), "frame");
      if (end && frames.length <= taken) {
        throw new Error(`Closed with ${end.code} "${end.reason}" before the next frame`);
      }
    }
    return frames[taken++];
  }

  const nextJson = async () => JSON.parse(await next());
  const client: RawClient = {
    socket,
    frames,
    whenClosed: () => withTimeout(closed.promise, "close"),
    send(message) {
      const raw = typeof message === "string" || message instanceof Uint8Array;
      socket.send(raw ? message as string : JSON.stringify(message));
    },
    next,
    nextJson,
    hello(fields) {
      client.send({ op: "hello", session_id: "test-session", ...fields });
      return nextJson();
    },
    async call(id, tool, args = {}) {
      client.send({ op: "call_tool", request_id: id, name: tool, arguments: args });
      const received: Record<string, unknown>[] = [];
      do received.push(await nextJson()); while (isProgress(received[received.length - 1]));
      return received;
    },
    async [Symbol.asyncDispose]() {
      if (socket.readyState === WebSocket.OPEN) socket.close();
      await client.whenClosed();
    },
  };
  await opened.promise;
  return client;
}

/** {@link connectRaw}, followed by a successful hello. */
export async function connectGreeted(
  url: string,
  hello?: Record<string, unknown>,
): Promise<RawClient> {
  const client = await connectRaw(url);
  const answer = await client.hello(hello);
  if (answer.ok !== true) throw new Error(`Cannot say hello: ${JSON.stringify(answer)}`);
  return client;
}

async function withTimeout<T>(promise: Promise<T>, awaited: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`No ${awaited} came within ${TIMEOUT_MS} ms`)),
    TIMEOUT_MS,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function isProgress({ op }: Record<string, unknown>): boolean {
  return op === "stream_complete" || op === "progress";
}

/** A hand-written WebSocket connection over TCP that reads nothing by itself. */
interface TcpClient extends Disposable {
  readonly conn: Deno.TcpConn;
  /** Sends a text frame, masked with zeros. */
  sendText(text: string): Promise<void>;
  sendBytes(bytes: Uint8Array): Promise<void>;
}

/** Connects and completes the WebSocket handshake. */
export async function connectTcp(url: string): Promise<TcpClient> {
  const { hostname, port } = new URL(url);
  const conn = await Deno.connect({ hostname, port: Number(port) });
  const client: TcpClient = {
    conn,
    sendText: (text) => client.sendBytes(encodeTextFrame(text)),
    async sendBytes(bytes) {
      for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
    },
    [Symbol.dispose]() {
      try {
        conn.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    },
  };
  await client.sendBytes(new TextEncoder().encode(
    `GET / HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  ));
  const answer = new Uint8Array(1024);
  const length = await conn.read(answer) ?? 0;
  const status = new TextDecoder().decode(answer.subarray(0, length)).split("\r\n")[0];
  if (!status.includes(" 101 ")) throw new Error(`Cannot upgrade the connection: ${status}`);
  return client;
}

function encodeTextFrame(text: string): Uint8Array {
  const payload = new TextEncoder().encode(text);
  const { length } = payload;
  const header = length < 126
    ? [0x80 | length]
    : length < 65_536
    ? [0xfe, length >> 8, length & 255]
    : [0xff, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => length >> shift & 255)];
  return new Uint8Array([0x81, ...header, 0, 0, 0, 0, ...payload]);
}
