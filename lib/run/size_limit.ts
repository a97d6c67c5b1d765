/**
 * Up to which size a server serves requests, and how it refuses one that is too large.
 *
 * @module
 */

import { brokenEquations, openLedger, settleLedger } from "../client/ledger.ts";
import { answersOnNewConnection, probeCall, type ProbeOutcome } from "./size_probe.ts";
import type { ScenarioContext } from "./scenario.ts";
import { addPayload } from "./workload.ts";

/** A size that was not served. */
interface Refusal {
  payloadBytes: number;
  outcome: ProbeOutcome;
  /** Whether a new connection answered a call afterwards. */
  answersAfter: boolean;
}

const MIB = 2 ** 20;
const KIB = 2 ** 10;

/** `64 B`, `16 KiB`, `33 MiB`. */
export function describeSize(bytes: number): string {
  if (bytes % MIB === 0) return `${bytes / MIB} MiB`;
  return bytes % KIB === 0 ? `${bytes / KIB} KiB` : `${bytes} B`;
}

/** What became of a call, in words. */
export function describeOutcome(outcome: ProbeOutcome): string {
  switch (outcome.kind) {
    case "served":
      return "served";
    case "error":
    case "rateLimited":
      return outcome.said;
    case "closed":
      return `close ${outcome.code} ${outcome.reason}`.trim();
    case "notTaken":
      return "the server stopped taking the request";
    case "silent":
      return "neither an answer nor a close";
    case "aborted":
      return "interrupted";
    default:
      return outcome satisfies never;
  }
}

/**
 * Tries one call of each size in turn, each on a connection of its own, so that no more than one is on its
 * way. These calls are sent in order to fail, so that they are in a ledger of their own, whose equations are
 * a check; none is in a ledger of the report.
 */
export class SizeLimitSearch {
  readonly #context: ScenarioContext;
  readonly #ledger = openLedger();
  readonly #refusals: Refusal[] = [];
  #largestServed: number | null = null;
  #highest = 0;
  #rateLimited: string | null = null;
  #isOver = false;

  constructor(context: ScenarioContext) {
    this.#context = context;
  }

  /** What became of the first call that was not served; `null`: all were. */
  get firstRefusal(): ProbeOutcome | null {
    return this.#refusals[0]?.outcome ?? null;
  }

  /** Whether nothing larger should be tried: the server ended a connection, or refused a call for load. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Whether a call with a payload of this size is served. If not, sees whether a new connection works.
   *
   * @throws {ConnectError} if no connection opens
   * @throws the signal's reason, if it is interrupted
   */
  async isServed(payloadBytes: number): Promise<boolean> {
    const { target, workload, signal } = this.#context;
    const ledger = this.#ledger;
    const message = addPayload(workload, payloadBytes)();
    const outcome = await probeCall(target, { message, ledger });
    signal.throwIfAborted();
    this.#highest = payloadBytes;
    if (outcome.kind === "served") {
      if (this.#refusals.length === 0) this.#largestServed = payloadBytes;
      return true;
    }
    if (outcome.kind === "rateLimited") {
      this.#rateLimited = outcome.said;
      this.#isOver = true;
      return false;
    }
    const answersAfter = await answersOnNewConnection(target, { message: workload(), ledger });
    signal.throwIfAborted();
    this.#refusals.push({ payloadBytes, outcome, answersAfter });
    this.#isOver = outcome.kind !== "error";
    return false;
  }

  /** Records what was found: between which sizes the limit lies, and the checks of how it is kept. */
  record(): void {
    const context = this.#context;
    const [first] = this.#refusals;
    const one = { ci95: null };
    if (this.#largestServed !== null) context.scalar("largestServed", this.#largestServed, one);
    if (first !== undefined) {
      context.scalar("smallestRefused", first.payloadBytes, one);
      this.#checkRefusals();
    } else {
      context.notMeasured(
        "limit of a request's size",
        this.#rateLimited === null
          ? `every request up to ${describeSize(this.#highest)} was served`
          : `refused for load: ${this.#rateLimited}`,
      );
    }
    this.#checkLedger();
  }

  #checkRefusals(): void {
    const told = this.#refusals.filter(({ outcome }) => outcome.kind !== "notTaken");
    const untold = this.#refusals.find(({ outcome }) => outcome.kind === "notTaken");
    if (untold !== undefined) {
      this.#context.notMeasured(
        `how ${describeSize(untold.payloadBytes)} are refused`,
        "the server stopped taking the request half-way, and the client sees no close frame before it " +
          "has sent all of it",
      );
    }
    if (told.length > 0) {
      this.#context.check({
        name: "a request that is too large is refused",
        passed: told.every(({ outcome }) =>
          outcome.kind === "error" || (outcome.kind === "closed" && outcome.code === 1009)
        ),
        expected: "an error for that call, or close 1009",
        observed: told.map(({ payloadBytes, outcome }) =>
          `${describeSize(payloadBytes)}: ${describeOutcome(outcome)}`
        ).join("; "),
      });
    }
    const answering = this.#refusals.filter(({ answersAfter }) => answersAfter).length;
    this.#context.check({
      name: "a new connection answers after each refusal",
      passed: answering === this.#refusals.length,
      expected: `${this.#refusals.length} of ${this.#refusals.length}`,
      observed: `${answering} of ${this.#refusals.length}`,
    });
  }

  #checkLedger(): void {
    const ledger = settleLedger(this.#ledger, false);
    const { sent, ok, toolError, rateLimited, timeout, connectionLost } = ledger;
    const broken = brokenEquations(ledger);
    const counts = { ok, toolError, rateLimited, timeout, connectionLost };
    const told = Object.entries(counts).filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`);
    this.#context.check({
      name: "the calls that look for the limit reconcile",
      passed: broken.length === 0,
      expected: "every call and every frame accounted for once",
      observed: broken.length === 0 ? `${sent} sent: ${told.join(", ")}` : broken.join("; "),
    });
  }
}
