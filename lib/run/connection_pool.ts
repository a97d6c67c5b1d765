import { isOwnLimit } from "../client/connect_error.ts";
import type { Connection } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import type { Target } from "../client/target.ts";
import { noteRelayed } from "./note_relay.ts";
import type { Recording, ScenarioContext } from "./scenario.ts";

/** The connections that a scenario needs. */
export interface PoolWish {
  record: Recording;
  most: number;
  /** The metric for the time that each took to open; `null`: none. */
  establish: string | null;
}

/** Connections that the scenarios of a group share in an epoch. Dispose of it to close them. */
export class ConnectionPool implements AsyncDisposable {
  readonly connections: Connection[] = [];
  readonly #target: Target;
  readonly #ledger: OpenLedger;
  readonly #isRelayed: boolean;

  /** @param ledger counts frames that belong to no call, until a slice sets its own */
  constructor(target: Target, ledger: OpenLedger, isRelayed = target.relays()) {
    this.#target = target;
    this.#ledger = ledger;
    this.#isRelayed = isRelayed;
  }

  /** Opens connections for one scenario; `null` if some (and so a check) failed. */
  static async openAll(
    context: ScenarioContext,
    most: number,
    ledger = context.warmupLedger,
    isRelayed?: boolean,
  ): Promise<ConnectionPool | null> {
    await using stack = new AsyncDisposableStack();
    const pool = stack.use(new ConnectionPool(context.target, ledger, isRelayed));
    await pool.open([{ record: context, most, establish: null }]);
    if (pool.connections.length < most) return null;
    stack.move();
    return pool;
  }

  /**
   * Opens as many connections as the largest wish, all simultaneously. A scenario that does not get
   * all of its connections fails a check.
   *
   * @throws {ConnectError} if none opens, or this process has reached its own limit
   * @throws the signal's reason, if interrupted
   */
  async open(wishes: readonly PoolWish[]): Promise<void> {
    const count = Math.max(1, ...wishes.map(({ most }) => most));
    const relayed = await this.#timeRelayed(wishes.filter(({ establish }) => establish !== null));
    const failure = await this.#connect(count);
    this.#target.options.signal.throwIfAborted();
    if (this.connections.length === 0 || isOwnLimit(failure)) throw failure;
    for (const { record, most: wanted, establish } of wishes) {
      const own = this.connections.slice(0, wanted);
      const seen = own.length;
      if (establish !== null) {
        const times = record.distribution(establish);
        for (const { timing } of relayed?.slice(0, wanted) ?? own) times.record(timing.establishNs);
      }
      const why = seen < wanted ? failure?.message ?? null : null;
      record.tally({ kind: "connected", name: "all clients connected", seen, wanted, why });
    }
  }

  /** Closes in parallel: each may wait for late replies, or for a server that does not close. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.connections.map((connection) => connection.close()));
  }

  /**
   * If Nagle's algorithm would delay openings but calls need no relay, opens separate connections
   * through the relay just to time them. `null` if the connections of the calls can be timed.
   */
  async #timeRelayed(timed: readonly PoolWish[]): Promise<readonly Connection[] | null> {
    const target = this.#target;
    if (this.#isRelayed || timed.length === 0 || !target.hasTls || !target.hasRelay) return null;
    for (const { record: { note }, establish } of timed) {
      noteRelayed({ target, note }, `openings timed as ${establish}`);
    }
    await using pool = new ConnectionPool(target, this.#ledger, true);
    await pool.#connect(Math.max(...timed.map(({ most }) => most)));
    return pool.connections;
  }

  /** @returns the first failure, if any */
  async #connect(count: number): Promise<Error | null> {
    const as = { relayed: this.#isRelayed };
    const settled = await Promise.allSettled(
      Array.from({ length: count }, () => this.#target.connect(this.#ledger, as)),
    );
    this.connections.push(...settled.flatMap((one) => one.status === "fulfilled" ? one.value : []));
    return settled.find((one) => one.status === "rejected")?.reason ?? null;
  }
}
