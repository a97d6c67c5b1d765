import type { Call } from "../client/call.ts";
import type { Connection, Message } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import { randomStream } from "../stats/random.ts";
import { runSession, type SessionOptions } from "./session.ts";

/** Timers are usually late by up to this; only a longer delay means that the client was busy. */
const TIMER_SLACK_NS = 2e6;

/** What the sessions of a crowd do, and its callbacks. */
export interface CrowdOptions extends Omit<SessionOptions, "random" | "onCall" | "onWake"> {
  connect: (ledger: OpenLedger) => Promise<Connection>;
  /** Counts calls until `useLedger` sets another. */
  ledger: OpenLedger;
  seed: number;
  onOpened: (establishNs: number) => void;
  /** Called when a session could not be opened. */
  onFailed: (error: unknown) => void;
  onLost: () => void;
  /** Called when each call ends, with the number of sessions open at that moment. */
  onCall: (call: Call, message: Message, sessions: number) => void;
}

/**
 * Keeps a number of sessions running. One that leaves is replaced immediately: departures of many
 * independent sessions are nearly a Poisson process (A. Y. Khintchine, Mathematical Methods in the
 * Theory of Queueing, 1960). One that could not be opened, or lost its connection, is not replaced
 * until more are wanted. Connections being opened or closed count as sessions.
 */
export class Crowd {
  readonly #options: CrowdOptions;
  /** Sessions in the order they came, each with the controller that makes it leave. */
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

  /** Number of sessions wanted, less those that failed. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Number of open sessions. */
  get open(): number {
    return this.#connections.size;
  }

  /** The longest delay after a think time beyond what timers usually add, in nanoseconds. */
  get longestLateNs(): number {
    return Math.max(0, this.#longestLateNs - TIMER_SLACK_NS);
  }

  /** Counts calls in another ledger from now on, and resets `longestLateNs`. */
  useLedger(ledger: OpenLedger): void {
    this.#ledger = ledger;
    this.#longestLateNs = 0;
    for (const connection of this.#connections) connection.useLedger(ledger);
  }

  /** Sets the number of sessions. The newest leave after their current call, or more start. */
  want(count: number): void {
    this.#wanted = count;
    const staying = [...this.#members.values()].filter(({ signal }) => !signal.aborted);
    for (const member of staying.slice(count)) member.abort();
    while (this.#members.size < this.#wanted && !this.#options.signal.aborted) this.#admit();
  }

  /** Makes all sessions leave, and waits until they have. */
  async leave(): Promise<void> {
    this.want(0);
    await Promise.all(this.#members.keys());
  }

  #admit(): void {
    const leaving = new AbortController();
    const member: Promise<void> = this.#attend(leaving.signal).then((isFollowed) => {
      this.#members.delete(member);
      // A failed session stays unreplaced until `want` raises the number again.
      if (!isFollowed && !leaving.signal.aborted) this.#wanted--;
      this.want(this.#wanted);
    });
    this.#members.set(member, leaving);
  }

  /** Runs one session; resolves to true if another is to follow. */
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
