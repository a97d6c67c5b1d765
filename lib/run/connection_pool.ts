import { isOwnLimit } from "../client/connect_error.ts";
import type { Connection } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import type { Target } from "../client/target.ts";
import { noteRelayed } from "./note_relay.ts";
import type { Recording, ScenarioContext } from "./scenario.ts";

/** How many connections a scenario wants at once. */
export interface PoolWish {
  record: Recording;
  most: number;
  /** The metric of how long each took to open; `null`: none. */
  establish: string | null;
}

/** The connections of an epoch, shared by the scenarios of a group. Dispose of it to close them all. */
export class ConnectionPool implements AsyncDisposable {
  readonly connections: Connection[] = [];
  readonly #target: Target;
  readonly #ledger: OpenLedger;
  readonly #isRelayed: boolean;

  /**
   * @param ledger where frames are counted that belong to no call, until a slice says otherwise
   * @param isRelayed left out: as the run's own calls are
   */
  constructor(target: Target, ledger: OpenLedger, isRelayed = target.relays()) {
    this.#target = target;
    this.#ledger = ledger;
    this.#isRelayed = isRelayed;
  }

  /** Opens so many for a scenario alone; `null`: not all of them open, which has failed a check. */
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
   * Opens as many connections as the scenario with the most of them wants, all at once. A scenario that does
   * not get all of its own has failed a check.
   *
   * @throws {ConnectError} if not even one opens, or this process may open no more: that is not the server's doing
   * @throws the signal's reason, if it is interrupted
   */
  async open(wishes: readonly PoolWish[]): Promise<void> {
    const count = Math.max(1, ...wishes.map(({ most }) => most));
    const relayed = await this.#timeRelayed(wishes.filter(({ establish }) => establish !== null));
    const failure = await this.#openAtOnce(count);
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

  /** Closes all at once: each may have to wait for late replies, or for a server that answers no close. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.connections.map((connection) => connection.close()));
  }

  /**
   * Where the client would hold the opening back and calls need no relay, connections of their own are opened
   * through it to be timed, and closed again; `null`: there is nothing to time, or those of the calls will do.
   */
  async #timeRelayed(timed: readonly PoolWish[]): Promise<readonly Connection[] | null> {
    const target = this.#target;
    if (this.#isRelayed || timed.length === 0 || !target.hasTls || !target.hasRelay) return null;
    for (const { record: { note }, establish } of timed) {
      noteRelayed({ target, note }, `openings timed as ${establish}`);
    }
    await using pool = new ConnectionPool(target, this.#ledger, true);
    await pool.#openAtOnce(Math.max(...timed.map(({ most }) => most)));
    return pool.connections;
  }

  async #openAtOnce(count: number): Promise<Error | null> {
    const as = { relayed: this.#isRelayed };
    const settled = await Promise.allSettled(
      Array.from({ length: count }, () => this.#target.connect(this.#ledger, as)),
    );
    this.connections.push(...settled.flatMap((one) => one.status === "fulfilled" ? one.value : []));
    return settled.find((one) => one.status === "rejected")?.reason ?? null;
  }
}
