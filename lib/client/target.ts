import type { ShardPlace } from "../schema.ts";
import type { Clock } from "./clock.ts";
import type { Credentials, Protocol } from "../protocols/protocol.ts";
import type { Observed } from "./call.ts";
import { Connection } from "./connection.ts";
import { type ForeignText, foreignText } from "./foreign_text.ts";
import type { OpenLedger } from "./ledger.ts";
import { dial, type Socket } from "./socket.ts";

/** How to reach the server under test. */
export interface TargetOptions {
  url: string;
  protocol: Protocol;
  token: string | null;
  headers: Record<string, string>;
  subprotocols: readonly string[];
  /** PEM text of a certificate authority to trust beside the system's. */
  caCert: string | null;
  /** For each dial, handshake and call, in milliseconds. */
  timeoutMs: number;
  clock: Clock;
  signal: AbortSignal;
  /** Which shard this is: its session and request ids are no other shard's. Left out: the only one. */
  shard?: ShardPlace;
}

/** What sets one session apart from the others of a run. */
export interface SessionOptions {
  /** Carries a source address. */
  client?: Deno.HttpClient;
  /** A session id and token of its own. */
  credentials?: Credentials;
}

/** The server under test: opens sessions to it. Dispose of it to free its HTTP clients. */
export class Target implements Disposable {
  readonly options: TargetOptions;
  /** What its replies have shown about it so far. */
  readonly observed: Observed = { streamComplete: false, rateLimit: null };
  /** Every text of the server's goes through this before it is kept. */
  readonly foreign: ForeignText;
  readonly #client: Deno.HttpClient | undefined;
  readonly #prefix: string;
  #sessions = 0;

  constructor(options: TargetOptions) {
    this.options = options;
    const { token, headers } = options;
    this.foreign = foreignText([...token === null ? [] : [token], ...Object.values(headers)]);
    // Random numbers tell runs apart; between shards that is not certain enough.
    const shard = options.shard === undefined ? "" : `s${options.shard.index}-`;
    this.#prefix = `bench-${crypto.randomUUID().slice(0, 8)}-${shard}`;
    this.#client = options.caCert === null
      ? undefined
      : Deno.createHttpClient({ caCerts: [options.caCert] });
  }

  /** Whether the server is on this machine, so that other source addresses can be tried. */
  get isLoopback(): boolean {
    const { hostname } = new URL(this.options.url);
    return hostname === "localhost" || hostname.startsWith("127.");
  }

  /** Whether a session, and its budget of calls, goes on when its client comes back on another connection. */
  get sessionsOutlive(): boolean {
    return this.options.protocol.sessionsOutliveConnections && !this.observed.assignsSessions;
  }

  /** A session of its own, with the token of the run. */
  newCredentials(): Credentials {
    return { sessionId: `${this.#prefix}${++this.#sessions}`, token: this.options.token };
  }

  /**
   * Opens an authenticated session.
   *
   * @throws {ConnectError} with the cause
   */
  connect(ledger: OpenLedger, as: SessionOptions = {}): Promise<Connection> {
    return Connection.open({
      ...this.#dialOptions(as.client),
      protocol: this.options.protocol,
      credentials: as.credentials ?? this.newCredentials(),
      callTimeoutMs: this.options.timeoutMs,
      ...(this.options.shard === undefined ? {} : { shard: this.options.shard }),
      ledger,
      observed: this.observed,
    });
  }

  /**
   * Opens a WebSocket and says nothing on it.
   *
   * @throws {ConnectError} with the cause
   */
  dial(from: { client?: Deno.HttpClient } = {}): Promise<Socket> {
    return dial(this.#dialOptions(from.client));
  }

  /** A client whose connections come from another address of this machine. The caller closes it. */
  clientFrom(localAddress: string): Deno.HttpClient {
    const { caCert } = this.options;
    return Deno.createHttpClient({
      localAddress,
      ...(caCert === null ? {} : { caCerts: [caCert] }),
    });
  }

  [Symbol.dispose](): void {
    this.#client?.close();
  }

  #dialOptions(client = this.#client) {
    const { url, clock, timeoutMs, headers, subprotocols, signal } = this.options;
    return {
      url,
      clock,
      timeoutMs,
      headers,
      subprotocols,
      signal,
      ...(client === undefined ? {} : { client }),
    };
  }
}
