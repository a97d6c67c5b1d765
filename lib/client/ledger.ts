/**
 * Counts every call and every frame; `Ledger` in schema.ts has the equations.
 *
 * @module
 */

import type { Ledger } from "../schema.ts";

/** A ledger that is still counting. */
export interface OpenLedger extends Required<Ledger> {
  /** Successes with neither stream_complete nor a cache marker. */
  bareOk: number;
}

/** Creates a ledger with every count at zero. */
export function openLedger(): OpenLedger {
  return {
    sent: 0,
    ok: 0,
    cached: 0,
    toolError: 0,
    rateLimited: 0,
    timeout: 0,
    connectionLost: 0,
    aborted: 0,
    dropped: 0,
    frames: { received: 0, final: 0, progress: 0, late: 0, duplicate: 0, orphan: 0, malformed: 0 },
    errorCodes: {},
    closeCodes: {},
    closeReasons: {},
    errorMessages: {},
    firstStrays: {},
    bareOk: 0,
  };
}

/** Names chosen by the server are cut to this length, and at most this many are distinguished. */
const NAME_LENGTH = 64;
const DISTINCT_NAMES = 64;
/** As keys of an object, these would be lost when a report is written and read. */
const RESERVED: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Increments a counter by name; after 64 names, new ones count as `(other)`.
 *
 * @returns the name that was counted
 */
export function countIn(counters: Record<string, number>, name: string | number): string {
  const short = String(name).slice(0, NAME_LENGTH);
  const safe = RESERVED.has(short) ? `(${short})` : short;
  const known = Object.hasOwn(counters, safe);
  const key = known || Object.keys(counters).length < DISTINCT_NAMES ? safe : "(other)";
  counters[key] = (Object.hasOwn(counters, key) ? counters[key]! : 0) + 1;
  return key;
}

/** Closes a ledger. On a server that streams, successes without stream_complete count as cached. */
export function settleLedger(open: OpenLedger, serverStreams: boolean): Ledger {
  const { bareOk, closeReasons, errorMessages, firstStrays, ...ledger } = open;
  const texts = Object.entries({ closeReasons, errorMessages, firstStrays })
    .filter(([, texts]) => Object.keys(texts).length > 0);
  return {
    ...structuredClone(ledger),
    cached: ledger.cached + (serverStreams ? bareOk : 0),
    ...structuredClone(Object.fromEntries(texts)),
  };
}

/** The equations that a ledger violates, each with both values. */
export function brokenEquations(ledger: Ledger): string[] {
  const { frames, sent, ok, cached } = ledger;
  const answered = ok + ledger.toolError + ledger.rateLimited;
  const ended = answered + ledger.timeout + ledger.connectionLost + ledger.aborted;
  const { received, final, ...others } = frames;
  const sorted = Object.values(others).reduce((sum, count) => sum + count, final);
  const equations: [string, number, number][] = [
    ["sent = ok + toolError + rateLimited + timeout + connectionLost + aborted", sent, ended],
    ["frames.final = ok + toolError + rateLimited", final, answered],
    [
      "frames.received = final + progress + late + duplicate + orphan + malformed",
      received,
      sorted,
    ],
    ["cached is within ok", cached, Math.min(cached, ok)],
  ];
  return equations.filter(([, left, right]) => left !== right)
    .map(([equation, left, right]) => `${equation}: ${left} against ${right}`);
}
