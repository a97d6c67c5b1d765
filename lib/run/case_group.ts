/**
 * Measures scenarios that share cases together. Each epoch opens new connections and runs blocks;
 * a block has one slice per case, in a balanced order (Williams design).
 *
 * @module
 */

import type { Connection } from "../client/connection.ts";
import type { SliceLength } from "../load/closed.ts";
import { shareOf } from "../load/share.ts";
import { wait } from "../load/pace.ts";
import { williamsOrder } from "../stats/williams.ts";
import { type Case, caseKey, isTargetLoop, type Rig, type Slice } from "./case.ts";
import { CaseRecorder } from "./case_results.ts";
import { ConnectionPool } from "./connection_pool.ts";
import { NullServerFloor } from "./client_floor.ts";
import { describeLoss } from "./describe_end.ts";
import type { CaseEntry } from "./entry.ts";
import { countCalls, type LiveFigures, type LiveScenario, liveTimes } from "./live.ts";
import { MOST_BLOCKS, MOST_WARMUP, SLICE_MS, WARMUP_MS } from "./planned_time.ts";
import { capOf, type Run } from "./run.ts";
import { isSilent, measureSlice } from "./slices.ts";

/** Minimum calls per client and block. */
const FEWEST_MESSAGES = 10;
const MOST_COUNTED_BLOCKS = 5;
/** Open loops need a longer lead-in: their backlog must be steady before the window starts. */
const OPEN_LEAD_INS = 5;
/** Gap between two slices that shards start together, for the last replies of the first. */
const SHARD_GAP_MS = 100;
/** Warm-up calls per connection at a capped rate so low that every call follows a pause. */
const IDLE_WARMUP_CALLS = 5;

const SLICES = { kind: "slices", name: "every slice measured" };
const REFUSALS_DROPPED = {
  kind: "refusalsDropped",
  message:
    "later calls got no answer at all and count as timeouts: most likely refusals too, dropped " +
    "by a server that never sends a frame twice on a connection (the October build)",
};

type Side = "target" | "floor" | "rig";

/** A case on one side, measured once in each block. */
interface Element {
  case: Case;
  side: Side;
  /** The first member that wants it: its ledger has the calls, its parameters set the length. */
  owner: CaseEntry;
  members: Set<CaseEntry>;
  recorder: CaseRecorder;
  /** True if the connections should go through the relay. */
  relayed: boolean;
  /** Connections of the current epoch, possibly fewer than the case has clients. */
  connections: readonly Connection[];
  /** Rig of the current epoch, on the side `rig`. */
  rig: Rig | null;
}

/** Measures the cases of some scenarios. Dispose of it after reading their metrics. */
export class CaseGroup implements LiveScenario, Disposable {
  readonly members: readonly CaseEntry[];
  /** Slices of each case per epoch. */
  readonly blocks: number;
  readonly #run: Run;
  readonly #elements: Element[] = [];
  readonly #floor: NullServerFloor;
  readonly #startNs: number;
  #position = 0;
  #latest: Element | null = null;

  /** @param members of one run, or of two that are compared; the first run's settings apply */
  constructor(members: readonly CaseEntry[], floor: NullServerFloor) {
    this.members = members;
    this.#run = members[0]!.run;
    this.#floor = floor;
    this.#startNs = this.#run.clock.nowNs();
    for (const member of members) {
      for (const one of member.casePlan.cases) {
        this.#add(one, one.layer === undefined ? "target" : "rig", member);
      }
      for (const one of member.casePlan.floors ?? []) this.#add(one, "floor", member);
    }
    this.blocks = this.#countBlocks();
  }

  get isPaced(): boolean {
    return this.#latest !== null && this.#latest.case.ratePerSecond !== null;
  }

  /** Duration of an epoch's slices in milliseconds; `null` if they are measured by call counts. */
  lengthMs(epoch: number): number | null {
    if (this.members.some(({ planned }) => planned.parameters.messages !== null)) return null;
    return this.#elements.reduce((sum, one) => sum + this.blocks * this.#periodMs(one, epoch), 0);
  }

  live(): LiveFigures {
    const { clock } = this.#run;
    return {
      elapsedNs: clock.nowNs() - this.#startNs,
      ...countCalls(
        this.members.flatMap(({ record }) => [record.warmupLedger, record.measuredLedger]),
      ),
      times: this.#latest && liveTimes([["latency", this.#latest.recorder.latency]]),
    };
  }

  /**
   * Measures one epoch; 0 is the warm-up.
   *
   * @param startMs unix time in milliseconds at which all shards start; `null`: immediately
   * @returns `"stop"` if the server went silent: further slices would only wait for timeouts
   * @throws {ConnectError} if no connection opens
   * @throws the signal's reason, if interrupted
   */
  async epoch(epoch: number, startMs: () => Promise<number | null>): Promise<"stop" | void> {
    await using stack = new AsyncDisposableStack();
    if (epoch > 0) { for (const { recorder } of this.#elements) recorder.startEpoch(); }
    this.#announceSlices();
    try {
      await this.#openTargets(stack);
      await this.#openFloors(stack);
      this.#run.signal.throwIfAborted();
      return await this.#measureBlocks(epoch, await startMs());
    } finally {
      if (epoch > 0) { for (const { recorder } of this.#elements) recorder.endEpoch(); }
    }
  }

  [Symbol.dispose](): void {
    for (const { recorder } of this.#elements) recorder[Symbol.dispose]();
  }

  #add(one: Case, side: Side, member: CaseEntry): void {
    const { place, run, run: { target, clock } } = member;
    const key = caseKey(one);
    let element = this.#elements.find((known) =>
      known.side === side && caseKey(known.case) === key &&
      (side === "floor" || known.owner.run === run)
    );
    if (element === undefined) {
      const recorder = new CaseRecorder(one, {
        timeoutNs: target.options.timeoutMs * 1e6,
        mergeable: place.count > 1,
        startNs: clock.nowNs(),
      });
      element = {
        ...{ case: one, side, owner: member, members: new Set(), recorder },
        relayed: target.relays(one.payloadBytes),
        connections: [],
        rig: null,
      };
      this.#elements.push(element);
    }
    element.members.add(member);
    (side === "floor" ? member.floors : member.results).set(key, element.recorder);
  }

  #countBlocks(): number {
    // The backlog of an open loop needs time to grow.
    if (this.#elements.some(({ case: one }) => one.ratePerSecond !== null)) return 1;
    const lengths = this.members.map(({ planned }) => planned.parameters);
    const counts = lengths.flatMap(({ messages }) => messages ?? []);
    const longestMs = Math.max(...lengths.map(({ durationMs }) => durationMs ?? SLICE_MS));
    const blocks = counts.length > 0
      ? Math.min(MOST_COUNTED_BLOCKS, Math.floor(Math.min(...counts) / FEWEST_MESSAGES))
      : Math.min(MOST_BLOCKS, Math.round(longestMs / SLICE_MS));
    const fit = Math.max(1, blocks);
    // Two servers take turns at going first.
    return this.#isPaired && lengths[0]!.messages !== 1 ? fit + fit % 2 : fit;
  }

  /** Announces the slices to the scenarios, so that a missing one fails a check. */
  #announceSlices(): void {
    for (const element of this.#elements) {
      // With fewer clients than shards, some shards have none.
      const isOurs = shareOf(element.case.clients, element.owner.place) > 0;
      if (element.side !== "floor" && isOurs) tallySlices(element, { wanted: this.blocks });
    }
  }

  /** Opens the connections and rigs of an epoch; the stack closes them. */
  async #openTargets(stack: AsyncDisposableStack): Promise<void> {
    for (const [run, members] of Map.groupBy(this.members, (member) => member.run)) {
      const { target } = run;
      const elements = this.#elements.filter((one) =>
        one.side !== "floor" && one.owner.run === run
      );
      const pools = new Map<boolean, ConnectionPool>();
      for (const relayed of [false, true]) {
        const wishes = members.flatMap(({ casePlan: plan, record, place }) => {
          const cases = plan.cases.filter((one) => target.relays(one.payloadBytes) === relayed);
          const most = Math.max(...cases.map(({ clients }) => shareOf(clients, place)));
          return cases.length === 0 ? [] : { record, establish: plan.establish ?? null, most };
        });
        if (wishes.length === 0) continue;
        const { warmupLedger } = members[0]!.record;
        const pool = stack.use(new ConnectionPool(target, warmupLedger, relayed));
        await pool.open(wishes);
        pools.set(relayed, pool);
        for (const one of elements) if (one.relayed === relayed) one.connections = pool.connections;
      }
      const rigs = new Map<string, Rig>();
      for (const { casePlan: plan } of members) {
        const connection = pools.get(target.relays())?.connections[0];
        const opened = await plan.openRigs?.({ connection: connection!, stack });
        for (const [layer, rig] of opened ?? []) rigs.set(layer, rig);
      }
      for (const one of elements) one.rig = rigs.get(one.case.layer ?? "") ?? null;
    }
  }

  /** Opens the connections to the null server. A failure is recorded; it is not the target's. */
  async #openFloors(stack: AsyncDisposableStack): Promise<void> {
    const floors = this.#elements.filter(({ side }) => side === "floor");
    try {
      for (const [relayed, elements] of Map.groupBy(floors, (one) => one.relayed)) {
        const most = Math.max(
          ...elements.map(({ case: { clients }, owner }) => shareOf(clients, owner.place)),
        );
        const connections = await this.#floor.open(most, { stack, relayed });
        for (const element of elements) element.connections = connections;
      }
    } catch (error) {
      this.#run.signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      const held = floors.flatMap(({ members }) => [...members]);
      for (const { record } of held) record.notMeasured("client floor", reason);
    }
  }

  async #measureBlocks(epoch: number, startMs: number | null): Promise<"stop" | void> {
    const { clock, signal } = this.#run;
    const waitUntil = async (ms: number | null) => {
      if (ms !== null) await wait(ms - clock.date().getTime(), { clock, signal });
      signal.throwIfAborted();
    };
    await waitUntil(startMs);
    for (const { record } of this.members) record.startMeasuring(startMs);
    let dueMs = startMs;
    for (let block = 0; block < this.blocks; block++) {
      for (const index of this.#orderOf(epoch * this.blocks + block)) {
        const element = this.#elements[index]!;
        await waitUntil(dueMs);
        if (dueMs !== null) dueMs += this.#periodMs(element, epoch);
        const outcome = await this.#measure(element, epoch, block);
        signal.throwIfAborted();
        if (outcome === "silent") return "stop";
      }
    }
    for (const { record } of this.members) record.endMeasuring();
  }

  /** With two servers, every second block reverses the one before, so each server goes first. */
  #orderOf(block: number): readonly number[] {
    const count = this.#elements.length;
    if (!this.#isPaired) return williamsOrder(count, block);
    const order = williamsOrder(count, block >> 1);
    return block % 2 === 0 ? order : order.toReversed();
  }

  get #isPaired(): boolean {
    return this.members.some(({ run }) => run !== this.#run);
  }

  /** Measures one slice and records it. */
  async #measure(element: Element, epoch: number, block: number): Promise<"silent" | void> {
    const { case: one, side, owner, members, recorder, connections } = element;
    const slice = await this.#slice(element, epoch, block);
    if (side === "target") {
      this.#latest = element;
      if (!slice?.complete) tallySlices(element, { why: describeLoss(connections) });
    }
    if (slice === null) return void recorder.miss();
    if (epoch > 0) {
      recorder.add(slice, this.#position++);
      for (const { casePlan: plan } of members) plan.onSlice?.(one, slice);
    }
    if (side !== "floor" && slice.complete) tallySlices(element, { seen: 1 });
    if (side !== "target" || !isSilent(slice, connections)) return;
    if (owner.run.target.observed.rateLimit !== null) owner.record.note(REFUSALS_DROPPED);
    return "silent";
  }

  /** @returns `null` if a connection, the rig or the floor is missing */
  async #slice(element: Element, epoch: number, block: number): Promise<Slice | null> {
    const { case: one, side, owner: { record, run, place }, connections, rig } = element;
    const length = this.#lengthOf(element, epoch, block);
    if (side === "rig") return await rig?.measure(length) ?? null;
    const clients = shareOf(one.clients, place);
    const open = connections.slice(0, clients).filter(({ isOpen }) => isOpen);
    if (clients === 0 || open.length < clients) return null;
    const { warmupLedger, ledger } = side === "floor" ? this.#floor.ledgers : record;
    return await measureSlice(one, {
      ...run,
      ...{ warmupLedger, ledger, place, connections, length },
      maxRatePerSecond: side === "floor" ? null : capOf(run, one),
      timeoutMs: run.target.options.timeoutMs,
      seed: run.settings.seed + epoch * MOST_BLOCKS + block,
    });
  }

  /** Length of one slice. A count of messages is spread over the blocks as evenly as possible. */
  #lengthOf(element: Element, epoch: number, block: number): SliceLength {
    const { case: one, owner: { run, planned: { parameters } }, side } = element;
    const { blocks } = this;
    const { leadInMs, settings: { overrides: { warmupMs } } } = this.#run;
    const leadInNs = (one.ratePerSecond === null ? 1 : OPEN_LEAD_INS) * leadInMs * 1e6;
    // The user's counts and durations are meant for the target.
    if (side === "floor") return { leadInNs, messages: null, durationNs: SLICE_MS * 1e6 };
    if (epoch === 0 && warmupMs !== null) {
      return { leadInNs: 0, messages: null, durationNs: warmupMs / blocks * 1e6 };
    }
    const cap = capOf(run, one);
    // With less than one call per lead-in, every call follows a pause anyway: a lead-in or a full
    // warm-up would only take time.
    const isIdle = cap !== null && cap * leadInNs < 1e9;
    const length = { leadInNs: isIdle ? 0 : leadInNs, messages: null, durationNs: null };
    if (parameters.messages === null) {
      const ownMs = parameters.durationMs ?? SLICE_MS;
      const isLong = epoch === 0 && cap === null && isTargetLoop(one);
      return { ...length, durationNs: (isLong ? this.#warmupMs(ownMs) : ownMs) / blocks * 1e6 };
    }
    const most = isIdle && epoch === 0 ? IDLE_WARMUP_CALLS : Infinity;
    const messages = Math.min(parameters.messages, most);
    const upTo = (end: number) => Math.floor(messages * end / blocks);
    return { ...length, messages: upTo(block + 1) - upTo(block) };
  }

  /** Duration of the warm-up of one closed loop, given that of an epoch. */
  #warmupMs(ownMs: number): number {
    const loops =
      this.#elements.filter((one) => one.side !== "floor" && isTargetLoop(one.case)).length;
    return Math.max(ownMs, Math.min(WARMUP_MS / loops, MOST_WARMUP * this.#run.epochs * ownMs));
  }

  /** Time from the start of a slice to that of the next, on shards. */
  #periodMs(element: Element, epoch: number): number {
    const { leadInNs, durationNs } = this.#lengthOf(element, epoch, 0);
    return (leadInNs + (durationNs ?? 0)) / 1e6 + SHARD_GAP_MS;
  }
}

/** Counts slices in the records of all scenarios that want them. */
function tallySlices(
  { members }: Element,
  count: { seen?: number; wanted?: number; why?: string | null },
): void {
  for (const { record } of members) record.tally({ ...SLICES, seen: 0, wanted: 0, ...count });
}
