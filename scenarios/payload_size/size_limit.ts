/**
 * Up to which size a server serves requests, and how it refuses larger ones.
 *
 * @module
 */

import { brokenEquations, openLedger, settleLedger } from "../../lib/client/ledger.ts";
import { answersOnNewConnection, probeCall, type ProbeOutcome } from "./size_probe.ts";
import type { ScenarioContext } from "../../lib/run/scenario.ts";
import { addPayload } from "../../lib/run/workload.ts";

/** A size that was not served. */
interface Refusal {
  payloadBytes: number;
  outcome: ProbeOutcome;
  /** Did a new connection answer a call afterwards? */
  answersAfter: boolean;
}

const MIB = 2 ** 20;
const KIB = 2 ** 10;

/** `64 B`, `16 KiB`, `33 MiB`; of calls that are sent as they are, `no payload`. */
export function describeSize(bytes: number): string {
  if (bytes === 0) return "no payload";
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
      return "the server stopped reading the request";
    case "silent":
      return "neither an answer nor a close";
    case "aborted":
      return "interrupted";
    default:
      return outcome satisfies never;
  }
}

/**
 * Tries one call of each size in turn, each on a connection of its own. As these calls are expected to fail,
 * they count in a ledger of their own, which is checked to reconcile, and in no ledger of the report.
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

  /** Should nothing larger be tried, as the server ended a connection or refused a call for load? */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Is a call with a payload of this size served? If not, a new connection is tried afterwards.
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

  /** Records between which sizes the limit lies, and the checks of how it is enforced. */
  record(limit: string): void {
    const context = this.#context;
    const [first] = this.#refusals;
    const one = { ci95: null };
    if (this.#largestServed !== null) context.scalar("largestServed", this.#largestServed, one);
    if (first !== undefined) {
      context.scalar("smallestRefused", first.payloadBytes, one);
      this.#checkRefusals();
    } else {
      context.notMeasured(
        limit,
        this.#rateLimited === null
          ? `every request up to ${describeSize(this.#highest)} was served`
          : `refused for load: ${this.#rateLimited}`,
      );
    }
    this.#checkLedger();
  }

  #checkRefusals(): void {
    const seen = this.#refusals.filter(({ outcome }) => outcome.kind !== "notTaken");
    const unseen = this.#refusals.find(({ outcome }) => outcome.kind === "notTaken");
    if (unseen !== undefined) {
      this.#context.notMeasured(
        `how ${describeSize(unseen.payloadBytes)} are refused`,
        "the server stopped reading the request half-way, and the client sees no close frame before it " +
          "has sent all of it",
      );
    }
    if (seen.length > 0) {
      this.#context.check({
        kind: "largeRefused",
        name: "a request that is too large is refused",
        passed: seen.every(({ outcome }) =>
          outcome.kind === "error" || (outcome.kind === "closed" && outcome.code === 1009)
        ),
        expected: "an error for that call, or close 1009",
        observed: seen.map(({ payloadBytes, outcome }) =>
          `${describeSize(payloadBytes)}: ${describeOutcome(outcome)}`
        ).join("; "),
      });
    }
    const answering = this.#refusals.filter(({ answersAfter }) => answersAfter).length;
    this.#context.tally({
      kind: "answersAfterRefusal",
      name: "a new connection answers after each refusal",
      seen: answering,
      wanted: this.#refusals.length,
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
      kind: "limitSearchReconciles",
      name: "the calls that look for the limit reconcile",
      passed: broken.length === 0,
      expected: "every call and every frame accounted for once",
      observed: broken.length === 0 ? `${sent} sent: ${told.join(", ")}` : broken.join("; "),
    });
  }
}
