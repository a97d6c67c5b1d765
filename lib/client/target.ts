import type { ShardPlace } from "../schema.ts";
import type { Credentials, Protocol } from "../protocols/protocol.ts";
import type { Observed } from "./call.ts";
import { ConnectError } from "./connect_error.ts";
import { Connection } from "./connection.ts";
import { type ForeignText, foreignText } from "./foreign_text.ts";
import type { OpenLedger } from "./ledger.ts";
import { Relay } from "./relay.ts";
import { secretsOf } from "./secrets.ts";
import { dial, type DialOptions, type Socket } from "./socket.ts";

/** How to reach the server under test; the timeout applies to each dial, handshake and call. */
export interface TargetOptions extends Omit<DialOptions, "foreign" | "client" | "relay"> {
  protocol: Protocol;
  token: string | null;
  headers: Record<string, string>;
  subprotocols: readonly string[];
  signal: AbortSignal;
  /** PEM text of a certificate authority to trust in addition to the system's. */
  caCert: string | null;
  /** PEM texts of this client's certificate and key. Default: none. */
  clientCert?: { cert: string; key: string } | null;
  /** Accepts any certificate of a wss:// server, by sending all connections through a relay. */
  insecure?: boolean;
  /** Keeps session and request ids distinct between shards. Default: not sharded. */
  shard?: ShardPlace;
  /** Avoids Nagle's algorithm. Default: not used. */
  relay?: RelayUse;
}

/** Which connections go through a relay. */
interface RelayUse {
  through: Relay;
  /** Relay all connections; else only those on which Deno writes twice without waiting. */
  always: boolean;
  /** Encoded length of the run's calls. */
  callBytes: number;
}

/** A client that connects from this address. */
export type SourceClient = Deno.HttpClient & { localAddress: string };

/** Options of a single session. */
export interface SessionOptions {
  /** Sets the source address. */
  client?: SourceClient;
  /** Default: a new session id with the run's token. */
  credentials?: Credentials;
  /** Use the relay, if there is one. Default: `relaysOpenings`. */
  relayed?: boolean;
}

/** Deno writes a frame's head and payload separately above 1,024 bytes; this leaves a margin. */
const LONGEST_SINGLE_WRITE_BYTES = 1_000;

/** The server under test. Dispose of it to free its HTTP clients. */
export class Target implements Disposable {
  readonly options: TargetOptions & Pick<DialOptions, "foreign">;
  readonly observed: Observed = { streamComplete: false, rateLimit: null };
  /** Masks every text from the server before it is kept. */
  readonly foreign: ForeignText;
  readonly #client: Deno.HttpClient | undefined;
  /** Accepts any certificate; `null` if not needed, or if one was given. */
  readonly #ownRelay: Relay | null = null;
  readonly #prefix: string;
  #sessions = 0;

  constructor(options: TargetOptions) {
    const { shard, caCert, clientCert = null, relay } = options;
    this.foreign = foreignText(secretsOf(options));
    this.options = { ...options, foreign: this.foreign };
    // Random ids separate runs; shards need certainty.
    const place = shard === undefined ? "" : `s${shard.index}-`;
    this.#prefix = `bench-${crypto.randomUUID().slice(0, 8)}-${place}`;
    if (this.isInsecure && relay?.through.isInsecure !== true) {
      this.#ownRelay = new Relay({ caCert, insecure: { clientCert } });
      this.options.relay = { through: this.#ownRelay, always: true, callBytes: 0 };
    }
    const isPlain = caCert === null && clientCert === null;
    this.#client = isPlain || this.isInsecure ? undefined : this.#httpClient();
  }

  /** True if the server is on this machine, so other source addresses can be used. */
  get isLoopback(): boolean {
    // The relay cannot choose the address of a TLS connection.
    if (this.isInsecure) return false;
    const { hostname } = new URL(this.options.url);
    return hostname === "localhost" || hostname.startsWith("127.");
  }

  /** True if a session and its call budget survive a reconnect of the client. */
  get sessionsOutlive(): boolean {
    return this.options.protocol.sessionsOutliveConnections && !this.observed.assignsSessions;
  }

  /** True if the run's calls, with `moreBytes` added, should use the relay. */
  relays(moreBytes = 0): boolean {
    const relay = this.#relay;
    if (relay === undefined) return false;
    return relay.always || relay.callBytes + moreBytes > LONGEST_SINGLE_WRITE_BYTES;
  }

  /** True if connections whose opening is timed should use the relay. */
  get relaysOpenings(): boolean {
    return this.relays() || (this.#relay !== undefined && this.opensInTwoWrites);
  }

  /** True if Deno writes twice without waiting during the opening or right after it. */
  get opensInTwoWrites(): boolean {
    return this.hasTls || this.options.protocol.endsHandshakeUnanswered === true;
  }

  /** TLS ends its handshake with a separate write, right before the upgrade request. */
  get hasTls(): boolean {
    return /^wss:/i.test(this.options.url);
  }

  /** True if the server's certificate is not checked. */
  get isInsecure(): boolean {
    return this.options.insecure === true && this.hasTls;
  }

  /** True if there is a relay that has not failed to start. */
  get hasRelay(): boolean {
    return this.#relay?.through.isUnavailable === false;
  }

  /** Undefined if connections need something that the relay cannot do. */
  get #relay(): RelayUse | undefined {
    const { relay, proxy = null, clientCert = null } = this.options;
    const isDirect = proxy === null && clientCert === null;
    return isDirect || this.isInsecure ? relay : undefined;
  }

  /** A new session id, with the run's token. */
  newCredentials(): Credentials {
    return { sessionId: `${this.#prefix}${++this.#sessions}`, token: this.options.token };
  }

  /**
   * Opens an authenticated session.
   *
   * @throws {ConnectError} with the cause
   */
  async connect(ledger: OpenLedger, as: SessionOptions = {}): Promise<Connection> {
    return await Connection.open({
      ...await this.#dialOptions(as),
      protocol: this.options.protocol,
      credentials: as.credentials ?? this.newCredentials(),
      shard: this.options.shard,
      ledger,
      observed: this.observed,
    });
  }

  /**
   * Opens a session, or returns why it failed.
   *
   * @throws the signal's reason, if it is aborted
   */
  async tryConnect(
    ledger: OpenLedger,
    as: SessionOptions = {},
  ): Promise<Connection | ConnectError> {
    try {
      return await this.connect(ledger, as);
    } catch (error) {
      this.options.signal.throwIfAborted();
      if (error instanceof ConnectError) return error;
      throw error;
    }
  }

  /**
   * Opens a WebSocket without a handshake.
   *
   * @throws {ConnectError} with the cause
   */
  async dial(from: Omit<SessionOptions, "credentials"> = {}): Promise<Socket> {
    return await dial(await this.#dialOptions(from));
  }

  /** A client that connects from another address of this machine. The caller closes it. */
  clientFrom(localAddress: string): SourceClient {
    return Object.assign(this.#httpClient({ localAddress }), { localAddress });
  }

  #httpClient(options: Deno.CreateHttpClientOptions = {}): Deno.HttpClient {
    const { caCert, clientCert } = this.options;
    const caCerts = caCert === null ? {} : { caCerts: [caCert] };
    return Deno.createHttpClient({ ...options, ...caCerts, ...clientCert });
  }

  [Symbol.dispose](): void {
    this.#client?.close();
    void this.#ownRelay?.[Symbol.asyncDispose]();
  }

  async #dialOptions(
    { client: source, relayed = this.relaysOpenings }: SessionOptions,
  ): Promise<DialOptions> {
    const relay = relayed || this.isInsecure ? this.#relay : undefined;
    const localAddress = source?.localAddress ?? null;
    const isOff = relay === undefined || (localAddress !== null && this.hasTls) ||
      !await relay.through.start();
    return {
      ...this.options,
      client: source ?? this.#client,
      relay: isOff ? undefined : { through: relay.through, localAddress },
    };
  }
}
