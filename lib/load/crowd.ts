import type { Call } from "../client/call.ts";
import type { Connection, Message } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import { randomStream } from "../stats/random.ts";
import { runSession, type SessionOptions } from "./session.ts";

/** Timers end so much late as a rule, in nanoseconds: only what is beyond it says that the client was away. */
const TIMER_NS = 2e6;

/** What the sessions of a crowd do, and who hears of it. */
export interface CrowdOptions extends Omit<SessionOptions, "random" | "onCall" | "onWake"> {
  /** Opens a connection whose calls count in the ledger. */
  connect: (ledger: OpenLedger) => Promise<Connection>;
  /** Where calls are counted at first. */
  ledger: OpenLedger;
  seed: number;
  onOpened: (establishNs: number) => void;
  /** Hears why a session could not be opened. */
  onFailed: (error: unknown) => void;
  onLost: () => void;
  /** Hears of the end of each call, what was sent, and how many sessions there were then. */
  onCall: (call: Call, message: Message, sessions: number) => void;
}

/**
 * As many sessions at once as are wanted. One that leaves makes room for another, which comes at once: those of many
 * independent sessions that leave are nearly a Poisson process (A. Y. Khintchine, Mathematical Methods in the Theory of
 * Queueing, 1960). One that could not be opened, or lost its connection, is not followed by another until more are
 * wanted. Connections that are being opened or closed count among the sessions wanted at most.
 */
export class Crowd {
  readonly #options: CrowdOptions;
  /** Who is there, with what makes them leave; in the order in which they came. */
  readonly #members = new Map<Promise<void>, AbortController>();
  readonly #connections = new Set<Connection>();
  #ledger: OpenLedger;
  #wanted = 0;
  #nth = 0;
  #longestLateNs = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#ledger = options.ledger;
  }

  /** How many sessions should be there; those that failed are not among them any more. */
  get wanted(): number {
    return this.#wanted;
  }

  /** How many sessions are open. */
  get open(): number {
    return this.#connections.size;
  }

  /** How late the client was for the end of a time to think, at most, in nanoseconds; timers aside. */
  get longestLateNs(): number {
    return Math.max(0, this.#longestLateNs - TIMER_NS);
  }

  /** Counts the calls from here on in another ledger, and forgets how late the client was. */
  useLedger(ledger: OpenLedger): void {
    this.#ledger = ledger;
    this.#longestLateNs = 0;
    for (const connection of this.#connections) connection.useLedger(ledger);
  }

  /** Lets so many be there: others come, or those that came last leave after their present call. */
  want(count: number): void {
    this.#wanted = count;
    const staying = [...this.#members.values()].filter(({ signal }) => !signal.aborted);
    for (const member of staying.slice(count)) member.abort();
    while (this.#members.size < this.#wanted && !this.#options.signal.aborted) this.#admit();
  }

  /** Lets all of them leave, and waits until they have. */
  async leave(): Promise<void> {
    this.want(0);
    await Promise.all(this.#members.keys());
  }

  #admit(): void {
    const leaving = new AbortController();
    const member: Promise<void> = this.#attend(leaving.signal).then((isFollowed) => {
      this.#members.delete(member);
      // Without it the place stays empty, and the next that is wanted is one more.
      if (!isFollowed) this.#wanted = Math.min(this.#wanted, this.#members.size);
      this.want(this.#wanted);
    });
    this.#members.set(member, leaving);
  }

  /** One session. `false`: no other follows. */
  async #attend(leaving: AbortSignal): Promise<boolean> {
    const { connect, seed, signal, onOpened, onFailed, onLost, onCall } = this.#options;
    const random = randomStream(seed, `session ${this.#nth++}`);
    const connection = await connect(this.#ledger).catch((error) => {
      if (!signal.aborted) onFailed(error);
    });
    if (!connection) return false;
    connection.useLedger(this.#ledger);
    onOpened(connection.timing.establishNs);
    this.#connections.add(connection);
    const end = await runSession(connection, {
      ...this.#options,
      random,
      signal: AbortSignal.any([leaving, signal]),
      onCall: (call, message) => onCall(call, message, this.#connections.size),
      onWake: (lateNs) => this.#longestLateNs = Math.max(this.#longestLateNs, lateNs),
    });
    this.#connections.delete(connection);
    if (end === "lost" && !signal.aborted) onLost();
    await connection.close();
    return end === "left";
  }
}
