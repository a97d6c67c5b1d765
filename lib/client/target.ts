import type { ShardPlace } from "../schema.ts";
import type { Credentials, Protocol } from "../protocols/protocol.ts";
import type { Observed } from "./call.ts";
import { ConnectError } from "./connect_error.ts";
import { Connection } from "./connection.ts";
import { type ForeignText, foreignText, maskedProtocol } from "./foreign_text.ts";
import type { OpenLedger } from "./ledger.ts";
import { Relay } from "./relay.ts";
import { secretsOf } from "./secrets.ts";
import { dial, type DialOptions, type Socket } from "./socket.ts";

/** How to reach the server under test; the timeout is for each dial, handshake and call. */
export interface TargetOptions extends Omit<DialOptions, "foreign" | "client" | "relay"> {
  protocol: Protocol;
  token: string | null;
  headers: Record<string, string>;
  subprotocols: readonly string[];
  signal: AbortSignal;
  /** PEM text of a certificate authority to trust beside the system's. */
  caCert: string | null;
  /** PEM texts of a certificate of this client's, and of its key; left out: none. */
  clientCert?: { cert: string; key: string } | null;
  /** Takes any certificate of a wss:// server, to which all connections then go through a relay. */
  insecure?: boolean;
  /** Which shard this is: its session and request ids are no other shard's. Left out: the only one. */
  shard?: ShardPlace;
  /** Takes connections past Nagle's algorithm; left out: none. */
  relay?: RelayUse;
}

/** Which connections go through a relay. */
interface RelayUse {
  through: Relay;
  /** All of them; else those on which Deno's WebSocket writes twice without waiting. */
  always: boolean;
  /** How long the run's own calls are, encoded. */
  callBytes: number;
}

/** A client whose connections come from that address. */
export type SourceClient = Deno.HttpClient & { localAddress: string };

/** What sets one session apart from the others of a run. */
export interface SessionOptions {
  /** Carries a source address. */
  client?: SourceClient;
  /** A session id and token of its own. */
  credentials?: Credentials;
  /** Through the relay, if there is one? Left out: as openings are timed. */
  relayed?: boolean;
}

/** Deno's WebSocket writes the head and the body of longer frames apart, whose payload has over 1,024 bytes. */
const LONGEST_SINGLE_WRITE_BYTES = 1_000;

/** The server under test: opens sessions to it. Dispose of it to free its HTTP clients. */
export class Target implements Disposable {
  readonly options: TargetOptions;
  /** What its replies have shown about it so far. */
  readonly observed: Observed = { streamComplete: false, rateLimit: null };
  /** Every text of the server's goes through this before it is kept. */
  readonly foreign: ForeignText;
  readonly #client: Deno.HttpClient | undefined;
  /** One that takes any certificate, unless it was given or none is needed. */
  readonly #ownRelay: Relay | null = null;
  readonly #prefix: string;
  #sessions = 0;

  constructor(options: TargetOptions) {
    const { shard, caCert, clientCert = null, relay } = options;
    this.foreign = foreignText(secretsOf(options));
    this.options = { ...options, protocol: maskedProtocol(options.protocol, this.foreign) };
    // Random numbers tell runs apart; between shards that is not certain enough.
    const place = shard === undefined ? "" : `s${shard.index}-`;
    this.#prefix = `bench-${crypto.randomUUID().slice(0, 8)}-${place}`;
    if (this.isInsecure && relay?.through.isInsecure !== true) {
      this.#ownRelay = new Relay({ caCert, insecure: { clientCert } });
      this.options.relay = { through: this.#ownRelay, always: true, callBytes: 0 };
    }
    const isPlain = caCert === null && clientCert === null;
    this.#client = isPlain || this.isInsecure ? undefined : this.#httpClient();
  }

  /** Whether the server is on this machine, so that other source addresses can be tried. */
  get isLoopback(): boolean {
    // The relay cannot choose the address of a TLS connection.
    if (this.isInsecure) return false;
    const { hostname } = new URL(this.options.url);
    return hostname === "localhost" || hostname.startsWith("127.");
  }

  /** Whether a session, and its budget of calls, goes on when its client comes back on another connection. */
  get sessionsOutlive(): boolean {
    return this.options.protocol.sessionsOutliveConnections && !this.observed.assignsSessions;
  }

  /** Should the run's own calls, or those with so many bytes more, go through the relay? */
  relays(moreBytes = 0): boolean {
    const relay = this.#relay;
    if (relay === undefined) return false;
    return relay.always || relay.callBytes + moreBytes > LONGEST_SINGLE_WRITE_BYTES;
  }

  /** Should connections, of which the opening or what follows it is timed? */
  get relaysOpenings(): boolean {
    return this.relays() || (this.#relay !== undefined && this.opensInTwoWrites);
  }

  /** Does Deno's WebSocket write twice without waiting, while a connection opens or right afterwards? */
  get opensInTwoWrites(): boolean {
    return this.hasTls || this.options.protocol.endsHandshakeUnanswered === true;
  }

  /** TLS ends its handshake with a write of its own, right before the request for the upgrade. */
  get hasTls(): boolean {
    return /^wss:/i.test(this.options.url);
  }

  /** Is the server's certificate not looked at? */
  get isInsecure(): boolean {
    return this.options.insecure === true && this.hasTls;
  }

  /** Is there a relay, as far as is known, for what should go through it? */
  get hasRelay(): boolean {
    return this.#relay?.through.isUnavailable === false;
  }

  /** Unless connections need something that it cannot do. */
  get #relay(): RelayUse | undefined {
    const { relay, proxy = null, clientCert = null } = this.options;
    const isDirect = proxy === null && clientCert === null;
    return isDirect || this.isInsecure ? relay : undefined;
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
   * Opens a session, or says why there is none.
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
   * Opens a WebSocket and says nothing on it.
   *
   * @throws {ConnectError} with the cause
   */
  async dial(from: Omit<SessionOptions, "credentials"> = {}): Promise<Socket> {
    return await dial(await this.#dialOptions(from));
  }

  /** A client whose connections come from another address of this machine. The caller closes it. */
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
      foreign: this.foreign,
      client: source ?? this.#client,
      relay: isOff ? undefined : { through: relay.through, localAddress },
    };
  }
}
