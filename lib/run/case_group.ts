/**
 * The scenarios that share cases, measured together: in each epoch fresh connections, then blocks, in each of
 * which every case has one slice, in an order that lets each case follow each other one equally often.
 *
 * @module
 */

import type { Connection } from "../client/connection.ts";
import { SILENCE_LIMIT, type SliceLength } from "../load/closed.ts";
import { shareOf } from "../load/share.ts";
import { wait } from "../load/pace.ts";
import { williamsOrder } from "../stats/williams.ts";
import { CaseRecorder } from "./case_results.ts";
import { ConnectionPool } from "./connection_pool.ts";
import { NullServerFloor } from "./client_floor.ts";
import { describeLoss } from "./describe_end.ts";
import { countCalls, type LiveFigures, type LiveScenario } from "./live.ts";
import { MOST_BLOCKS, MOST_WARMUP, SLICE_MS, WARMUP_MS } from "./planned_time.ts";
import { rateOf, type Run } from "./run.ts";
import {
  type Case,
  caseKey,
  type CaseLength,
  type CasePlan,
  type CaseResult,
  type CaseScenario,
  type Rig,
  type Slice,
} from "./scenario.ts";
import type { ShardPlace } from "../schema.ts";
import type { ScenarioRecord } from "./record.ts";
import { measureSlice } from "./slices.ts";

/** A scenario of the group, on one server. */
export interface GroupMember {
  run: Run;
  scenario: CaseScenario;
  parameters: CaseLength;
  plan: CasePlan;
  record: ScenarioRecord;
  /** Which share of its clients it takes. */
  place: ShardPlace;
}

/** A block needs at least so many calls of each client. */
const FEWEST_MESSAGES = 10;
const MOST_COUNTED_BLOCKS = 5;
/** An open loop needs a longer lead-in: what falls due in its window is answered in it only in a steady state. */
const OPEN_LEAD_INS = 5;
/** Between two slices that shards begin together, for the last replies of the first. */
const SHARD_GAP_MS = 100;

type Side = "target" | "floor" | "rig";

/** What a block measures once. */
interface Element {
  case: Case;
  side: Side;
  /** The first that wants it: the calls are in its ledger, and its length counts. */
  owner: GroupMember;
  members: GroupMember[];
  recorder: CaseRecorder;
}

/** Are they for cases whose calls go through the relay, if there is one? */
type IsRelayed = boolean;

/** What an epoch measures with. */
interface Opened {
  targets: ReadonlyMap<Run, ReadonlyMap<IsRelayed, ConnectionPool>>;
  floor: ReadonlyMap<IsRelayed, readonly Connection[]> | null;
  rigs: ReadonlyMap<Run, ReadonlyMap<string, Rig>>;
}

/** Measures the cases of some scenarios. Dispose of it when their metrics have been read. */
export class CaseGroup implements LiveScenario, Disposable {
  readonly members: readonly GroupMember[];
  readonly #run: Run;
  readonly #elements: Element[] = [];
  readonly #floor: NullServerFloor;
  readonly #startNs: number;
  #position = 0;
  #latest: Element | null = null;
  #floorFailure: string | null = null;

  /** Cases of other runs are measured in the same blocks; the first one's settings say how long. */
  constructor(members: readonly GroupMember[], floor: NullServerFloor) {
    this.members = members;
    this.#run = members[0]!.run;
    this.#floor = floor;
    this.#startNs = this.#run.clock.nowNs();
    for (const member of members) {
      for (const one of member.plan.cases) {
        this.#add(one, one.layer === undefined ? "target" : "rig", member);
      }
      for (const one of member.plan.floors ?? []) this.#add(one, "floor", member);
    }
  }

  get isPaced(): boolean {
    return this.#latest !== null && this.#latest.case.ratePerSecond !== null;
  }

  /** Slices of each case in an epoch. */
  get blocks(): number {
    const fit = this.#blocksThatFit;
    const { messages } = this.members[0]!.parameters;
    return this.#isPaired && messages !== 1 ? fit + fit % 2 : fit;
  }

  get #blocksThatFit(): number {
    // An open loop's backlog needs the time to grow.
    if (this.#elements.some(({ case: one }) => one.ratePerSecond !== null)) return 1;
    const lengths = this.members.map(({ parameters }) => parameters);
    const counts = lengths.flatMap(({ messages }) => messages ?? []);
    if (counts.length > 0) {
      const fit = Math.floor(Math.min(...counts) / FEWEST_MESSAGES);
      return Math.max(1, Math.min(MOST_COUNTED_BLOCKS, fit));
    }
    const longestMs = Math.max(...lengths.map(({ durationMs }) => durationMs ?? SLICE_MS));
    return Math.max(1, Math.min(MOST_BLOCKS, Math.round(longestMs / SLICE_MS)));
  }

  /** How long the slices of an epoch take, in milliseconds; `null`: as long as their calls do. */
  lengthMs(epoch: number): number | null {
    if (this.members.some(({ parameters }) => parameters.messages !== null)) return null;
    return this.#elements.reduce((sum, one) => sum + this.blocks * this.#periodMs(one, epoch), 0);
  }

  /** What a case of a scenario came to on its target or a rig; `null`: nothing of it was measured. */
  resultOf(one: Case, record: ScenarioRecord): CaseResult | null {
    const side = one.layer === undefined ? "target" : "rig";
    const key = caseKey(one);
    return measured(
      this.#elements.find((element) =>
        element.side === side && caseKey(element.case) === key &&
        element.members.some((member) => member.record === record)
      ),
    );
  }

  /** The same on the server that does nothing. */
  floorOf(one: Case): CaseResult | null {
    const key = caseKey(one);
    return measured(
      this.#elements.find((element) => element.side === "floor" && caseKey(element.case) === key),
    );
  }

  /** The share of a core that the thread used in a scenario's own slices; `null`: too short to say. */
  clientCpu(record: ScenarioRecord): number | null {
    const own = this.#elements.filter(({ members, side, case: one }) =>
      side === "target" && one.ratePerSecond === null &&
      members.some((member) => member.record === record)
    );
    const elapsedNs = own.reduce((sum, { recorder }) => sum + recorder.elapsedNs, 0);
    const usedNs = own.reduce((sum, { recorder }) => sum + recorder.clientCpuNs, 0);
    return elapsedNs < SHORTEST_CPU_WINDOW_NS ? null : Math.min(1, usedNs / elapsedNs);
  }

  /** Why floors could not be measured; `null`: they could. */
  get floorFailure(): string | null {
    return this.#floorFailure;
  }

  live(): LiveFigures {
    const { clock } = this.#run;
    const latest = this.#latest?.recorder.latency.latest();
    return {
      elapsedNs: clock.nowNs() - this.#startNs,
      ...countCalls(
        this.members.flatMap(({ record }) => [record.warmupLedger, record.measuredLedger]),
      ),
      times: latest === undefined || latest.p50 === null
        ? null
        : { name: "latency", p50Ns: latest.p50, p99Ns: latest.p99 },
    };
  }

  /**
   * One epoch; 0 is the warm-up.
   *
   * @param startMs when its first slice is to begin, in unix milliseconds, the same for all shards; `null`: when
   *   it can
   * @returns `"stop"` if the server has gone silent: every further slice would only wait for timeouts
   * @throws {ConnectError} if not even one connection opens
   * @throws the signal's reason, if it is interrupted
   */
  async epoch(epoch: number, startMs: () => Promise<number | null>): Promise<"stop" | void> {
    const { signal } = this.#run;
    await using stack = new AsyncDisposableStack();
    if (epoch > 0) { for (const { recorder } of this.#elements) recorder.startEpoch(); }
    this.#announceSlices();
    try {
      const opened = await this.#open(stack);
      signal.throwIfAborted();
      return await this.#measureBlocks(epoch, { ...opened, startMs: await startMs() });
    } finally {
      if (epoch > 0) { for (const { recorder } of this.#elements) recorder.endEpoch(); }
    }
  }

  [Symbol.dispose](): void {
    for (const { recorder } of this.#elements) recorder[Symbol.dispose]();
  }

  #add(one: Case, side: Side, member: GroupMember): void {
    const key = caseKey(one);
    const known = this.#elements.find((element) =>
      element.side === side && caseKey(element.case) === key &&
      (side === "floor" || element.owner.run === member.run)
    );
    if (known !== undefined) return void known.members.push(member);
    const { place, run: { target, clock } } = member;
    const recorder = new CaseRecorder(one, {
      timeoutNs: target.options.timeoutMs * 1e6,
      mergeable: place.count > 1,
      startNs: clock.nowNs(),
    });
    this.#elements.push({ case: one, side, owner: member, members: [member], recorder });
  }

  /** What is planned must be measured, by every scenario that wants it. */
  #announceSlices(): void {
    for (const { case: { clients }, side, members, owner } of this.#elements) {
      // Of fewer clients than there are shards, not every shard has one.
      if (side === "floor" || shareOf(clients, owner.place) === 0) continue;
      for (const { record } of members) record.tally({ ...SLICES, seen: 0, wanted: this.blocks });
    }
  }

  async #open(stack: AsyncDisposableStack): Promise<Opened> {
    const targets = new Map<Run, Map<IsRelayed, ConnectionPool>>();
    const rigs = new Map<Run, Map<string, Rig>>();
    for (const run of new Set(this.members.map((member) => member.run))) {
      const members = this.members.filter((member) => member.run === run);
      const pools = new Map<IsRelayed, ConnectionPool>();
      for (const isRelayed of [false, true]) {
        const wishes = members.flatMap(({ plan, record, place }) => {
          const cases = plan.cases.filter((one) => isRelayedOn(run, one) === isRelayed);
          const most = Math.max(...cases.map(({ clients }) => shareOf(clients, place)));
          return cases.length === 0 ? [] : { record, establish: plan.establish ?? null, most };
        });
        if (wishes.length === 0) continue;
        const { warmupLedger } = members[0]!.record;
        const pool = stack.use(new ConnectionPool(run.target, warmupLedger, isRelayed));
        await pool.open(wishes);
        pools.set(isRelayed, pool);
      }
      targets.set(run, pools);
      rigs.set(run, new Map());
      for (const { plan } of members) {
        const pool = pools.get(run.target.relays())!;
        const opened = await plan.openRigs?.({ connection: pool.connections[0]!, stack });
        for (const [layer, rig] of opened ?? []) rigs.get(run)!.set(layer, rig);
      }
    }
    return { targets, floor: await this.#openFloor(stack), rigs };
  }

  /** A floor that cannot be measured is no failure of the server's. */
  async #openFloor(stack: AsyncDisposableStack): Promise<Opened["floor"]> {
    const floors = Map.groupBy(
      this.#elements.filter(({ side }) => side === "floor"),
      (one) => isRelayedOn(one.owner.run, one.case),
    );
    const opened = new Map<IsRelayed, readonly Connection[]>();
    try {
      for (const [relayed, some] of floors) {
        const most = Math.max(
          ...some.map((one) => shareOf(one.case.clients, one.owner.place)),
        );
        opened.set(relayed, await this.#floor.open(most, { stack, relayed }));
      }
      return opened;
    } catch (error) {
      this.#run.signal.throwIfAborted();
      this.#floorFailure = error instanceof Error ? error.message : String(error);
      return null;
    }
  }

  async #measureBlocks(
    epoch: number,
    opened: Opened & { startMs: number | null },
  ): Promise<"stop" | void> {
    const { clock, signal } = this.#run;
    const { blocks } = this;
    const elements = this.#elements;
    let dueMs = opened.startMs;
    if (dueMs !== null) await wait(dueMs - clock.date().getTime(), { clock, signal });
    signal.throwIfAborted();
    for (const { record } of this.members) record.startMeasuring(opened.startMs);
    for (let block = 0; block < blocks; block++) {
      for (const index of this.#orderOf(epoch * blocks + block)) {
        if (dueMs !== null) {
          await wait(dueMs - clock.date().getTime(), { clock, signal });
          dueMs += this.#periodMs(elements[index]!, epoch);
        }
        const outcome = await this.#measure(elements[index]!, { epoch, block, opened });
        signal.throwIfAborted();
        if (outcome === "silent") return "stop";
      }
    }
    for (const { record } of this.members) record.endMeasuring();
  }

  /** Of several servers, every second block is the one before in reverse, so that each of them comes first once. */
  #orderOf(block: number): readonly number[] {
    const count = this.#elements.length;
    if (!this.#isPaired) return williamsOrder(count, block);
    const order = williamsOrder(count, block >> 1);
    return block % 2 === 0 ? order : order.toReversed();
  }

  get #isPaired(): boolean {
    return this.members.some(({ run }) => run !== this.#run);
  }

  async #measure(
    element: Element,
    { epoch, block, opened }: { epoch: number; block: number; opened: Opened },
  ): Promise<"silent" | void> {
    const slice = await this.#slice(element, { epoch, block, opened });
    if (element.side === "target") this.#latest = element;
    if (element.side === "target" && !slice?.complete) {
      const why = describeLoss(connectionsOf(element, opened)!);
      for (const { record } of element.members) {
        record.tally({ ...SLICES, seen: 0, wanted: 0, why });
      }
    }
    if (slice === null) return void element.recorder.miss();
    if (epoch > 0) {
      element.recorder.add(slice, this.#position++);
      for (const { plan } of element.members) plan.onSlice?.(element.case, slice);
    }
    if (element.side === "floor") return;
    for (const { record } of element.members) {
      if (slice.complete) record.tally({ ...SLICES, seen: 1, wanted: 0 });
    }
    if (element.side === "target") {
      const { run: { target } } = element.owner;
      const refused = element.case.ratePerSecond === null && slice.silent;
      if (!refused && !isSilent(slice, connectionsOf(element, opened)!)) return;
      // Those that share the case have its calls in the first one's ledger.
      if (target.observed.rateLimit !== null) element.owner.record.note(REFUSALS_DROPPED);
      return "silent";
    }
  }

  /** `null`: it could not be begun. */
  async #slice(
    element: Element,
    { epoch, block, opened }: { epoch: number; block: number; opened: Opened },
  ): Promise<Slice | null> {
    const { case: one, side, owner } = element;
    const length = this.#lengthOf(element, { epoch, block });
    const { record, run, place } = owner;
    if (side === "rig") {
      return await opened.rigs.get(run)!.get(one.layer!)?.measure(length) ?? null;
    }
    const isFloor = side === "floor";
    const connections = connectionsOf(element, opened);
    const clients = shareOf(one.clients, place);
    if (connections === null || clients === 0 || connections.length < clients) return null;
    if (connections.slice(0, clients).some(({ isOpen }) => !isOpen)) return null;
    const ledgers = isFloor ? this.#floor.ledgers : {
      warmupLedger: record.warmupLedger,
      ledger: record.ledger,
    };
    return await measureSlice(one, {
      ...run,
      ...ledgers,
      place,
      connections,
      length: isFloor ? { ...length, ...FLOOR_LENGTH } : length,
      maxRatePerSecond: isFloor ? null : rateOf(run, one.clients),
      timeoutMs: run.target.options.timeoutMs,
      seed: run.settings.seed + epoch * MOST_BLOCKS + block,
    });
  }

  /** The length of one of an epoch's slices: as equal as whole messages allow. */
  #lengthOf(
    { case: one, owner, side }: Element,
    { epoch, block }: { epoch: number; block: number },
  ): SliceLength {
    const { blocks } = this;
    const { durationMs } = owner.parameters;
    const { warmupMs } = this.#run.settings.overrides;
    if (epoch === 0 && warmupMs !== null) {
      return { leadInNs: 0, messages: null, durationNs: warmupMs / blocks * 1e6 };
    }
    const leadIns = one.ratePerSecond === null ? 1 : OPEN_LEAD_INS;
    const leadInNs = leadIns * this.#run.leadInMs * 1e6;
    const keptTo = side === "floor" || one.ratePerSecond !== null
      ? null
      : rateOf(owner.run, one.clients);
    // Each call of so slow a pace comes after a pause: one before it would only take its time.
    const isIdle = keptTo !== null && keptTo * leadInNs < 1e9;
    const counted = owner.parameters.messages;
    // For the same reason a warm-up of all of them would only take their time.
    const isShort = isIdle && epoch === 0 && counted !== null;
    const messages = isShort ? Math.min(counted, IDLE_WARMUP_CALLS) : counted;
    const upTo = (end: number) => Math.floor((messages ?? 0) * end / blocks);
    const ownMs = durationMs ?? SLICE_MS;
    const isLong = epoch === 0 && side === "target" && keptTo === null &&
      one.ratePerSecond === null;
    const sliceMs = isLong ? this.#warmupMs(ownMs) : ownMs;
    return {
      leadInNs: isIdle ? 0 : leadInNs,
      messages: messages === null ? null : upTo(block + 1) - upTo(block),
      durationNs: messages !== null ? null : sliceMs / blocks * 1e6,
    };
  }

  /** How long the warm-up measures a closed loop on the target; `ownMs` is what an epoch does. */
  #warmupMs(ownMs: number): number {
    const loops = this.#elements.filter(({ case: { ratePerSecond }, side }) =>
      ratePerSecond === null && side === "target"
    );
    return Math.max(
      ownMs,
      Math.min(WARMUP_MS / loops.length, MOST_WARMUP * this.#run.epochs * ownMs),
    );
  }

  #periodMs(element: Element, epoch: number): number {
    const { leadInNs, durationNs } = this.#lengthOf(element, { epoch, block: 0 });
    return (leadInNs + (durationNs ?? 0)) / 1e6 + SHARD_GAP_MS;
  }
}

/** Own calls of such a length go through the relay, if there is one. */
function isRelayedOn({ target }: Run, { payloadBytes }: Case): IsRelayed {
  return target.relays(payloadBytes);
}

/** `null`: a floor that could not be opened. */
function connectionsOf(
  { side, case: one, owner: { run } }: Element,
  { floor, targets }: Opened,
): readonly Connection[] | null {
  const isRelayed = isRelayedOn(run, one);
  return side === "floor"
    ? floor?.get(isRelayed) ?? null
    : targets.get(run)!.get(isRelayed)!.connections;
}

function measured(element: Element | undefined): CaseResult | null {
  if (element === undefined) return null;
  const { latency, open } = element.recorder;
  return latency.count + open.length === 0 ? null : element.recorder;
}

/** Did a server that is still connected answer nothing in a slice, or nothing any more? */
function isSilent(
  { answered, censored, open }: Slice,
  connections: readonly Connection[],
): boolean {
  // Of an open loop some calls may time out, where it offers too many.
  if (open !== undefined) return answered === 0 && censored >= SILENCE_LIMIT;
  return connections.every(({ isOpen }) => isOpen) &&
    (answered === 0 || connections.some(({ timedOutInRow }) => timedOutInRow >= SILENCE_LIMIT));
}

const REFUSALS_DROPPED = {
  kind: "refusalsDropped",
  message:
    "calls after it had no answer at all and count as timeouts: most likely refusals too, which a server " +
    "that sends no frame twice on a connection (the October build) drops",
};
/** Calls of each connection in a warm-up that is kept to so slow a pace. */
const IDLE_WARMUP_CALLS = 5;
const SLICES = { kind: "slices", name: "every slice measured" };
/** CPU time is counted in ticks of 10 ms, so that a shorter window says nothing. */
const SHORTEST_CPU_WINDOW_NS = 1e9;
/** Counts of the user's are for the server that is measured. */
const FLOOR_LENGTH = { messages: null, durationNs: SLICE_MS * 1e6 };

/**
 * Scenarios that share a case, directly or by others, in the order in which they are given. What shards begin
 * together is never measured beside what one of them runs alone.
 */
export function groupBySharedCases(members: readonly GroupMember[]): GroupMember[][] {
  const groups: { keys: Set<string>; members: GroupMember[] }[] = [];
  for (const member of members) {
    const keys = new Set(member.plan.cases.map((one) => `${member.place.count} ${caseKey(one)}`));
    const joined = groups.filter((group) => !keys.isDisjointFrom(group.keys));
    const merged = {
      keys: new Set([...joined.flatMap((group) => [...group.keys]), ...keys]),
      members: [...joined.flatMap((group) => group.members), member],
    };
    for (const group of joined) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups.map((group) =>
    group.members.toSorted((a, b) => members.indexOf(a) - members.indexOf(b))
  );
}
