import type { ShardPlace } from "../schema.ts";
import type { Clock } from "./clock.ts";
import type { Credentials, Protocol } from "../protocols/protocol.ts";
import type { Observed } from "./call.ts";
import { Connection } from "./connection.ts";
import { type ForeignText, foreignText } from "./foreign_text.ts";
import { InsecureRelay } from "./insecure_relay.ts";
import type { OpenLedger } from "./ledger.ts";
import { maskedProtocol } from "./masked_protocol.ts";
import { secretsOf } from "./secrets.ts";
import { dial, type Socket } from "./socket.ts";

/** How to reach the server under test. */
export interface TargetOptions {
  url: string;
  protocol: Protocol;
  token: string | null;
  headers: Record<string, string>;
  subprotocols: readonly string[];
  /** So many frames of each connection are left out, such as a greeting; left out: none. */
  ignoreFirst?: number;
  /** PEM text of a certificate authority to trust beside the system's. */
  caCert: string | null;
  /** PEM texts of a certificate of this client's, and of its key; left out: none. */
  clientCert?: { cert: string; key: string } | null;
  /** The proxy that the runtime goes through to this server, without its password; left out: none. */
  proxy?: string | null;
  /** Takes any certificate of a wss:// server, by a relay in this thread. */
  insecure?: boolean;
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
  readonly #insecure: InsecureRelay | null;
  readonly #prefix: string;
  #sessions = 0;

  constructor(options: TargetOptions) {
    this.foreign = foreignText(secretsOf(options));
    this.options = { ...options, protocol: maskedProtocol(options.protocol, this.foreign) };
    // Random numbers tell runs apart; between shards that is not certain enough.
    const shard = options.shard === undefined ? "" : `s${options.shard.index}-`;
    this.#prefix = `bench-${crypto.randomUUID().slice(0, 8)}-${shard}`;
    const { url, insecure = false, caCert, clientCert = null } = options;
    this.#insecure = insecure && /^wss:/i.test(url)
      ? new InsecureRelay({ ...addressOf(url), clientCert })
      : null;
    const isPlain = caCert === null && clientCert === null && this.#insecure === null;
    this.#client = isPlain ? undefined : Deno.createHttpClient(this.#reach);
  }

  /** Whether the server is on this machine, so that other source addresses can be tried. */
  get isLoopback(): boolean {
    // A relay in between has one address of its own.
    if (this.#insecure !== null) return false;
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
      foreign: this.foreign,
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
    return Deno.createHttpClient({ localAddress, ...this.#reach });
  }

  /** How the runtime's HTTP client gets there. */
  get #reach(): Deno.CreateHttpClientOptions {
    const { caCert, clientCert } = this.options;
    if (this.#insecure !== null) {
      return { proxy: { transport: "tcp", hostname: "127.0.0.1", port: this.#insecure.port } };
    }
    return { ...(caCert === null ? {} : { caCerts: [caCert] }), ...clientCert };
  }

  [Symbol.dispose](): void {
    this.#client?.close();
    this.#insecure?.[Symbol.dispose]();
  }

  #dialOptions(client = this.#client) {
    const { url, proxy = null, clock, timeoutMs, headers, subprotocols, signal, ignoreFirst = 0 } =
      this.options;
    const relay = this.#insecure;
    return {
      url,
      proxy,
      ignoreFirst,
      ...(relay === null ? {} : { insecure: relay }),
      foreign: this.foreign,
      clock,
      timeoutMs,
      headers,
      subprotocols,
      signal,
      ...(client === undefined ? {} : { client }),
    };
  }
}

/** Host and port, as sockets want them. */
export function addressOf(url: string): { hostname: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  return {
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port) || (protocol === "wss:" ? 443 : 80),
  };
}
