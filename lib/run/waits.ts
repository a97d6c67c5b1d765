import { openLedger } from "../client/ledger.ts";
import type { Target } from "../client/target.ts";
import type { Entry } from "./entry.ts";

/** Maximum connections to open just to see if the server has room for them. */
const MOST_TRIED = 64;

/** Waits on idle connections, in parallel with measurements if the server has room for them. */
export class Waits {
  readonly #entries: readonly Entry[];
  readonly #fail: (entry: Entry, error: unknown) => void;
  #all: Promise<unknown> | null = null;
  areOpen = false;

  /** @param fail called for each wait that throws */
  constructor(entries: readonly Entry[], fail: (entry: Entry, error: unknown) => void) {
    this.#entries = entries.filter(({ procedure }) => procedure?.waiting !== undefined);
    this.#fail = fail;
  }

  /** Begins the waits if the server has room for them in addition to any scenario's connections. */
  async beginBeside(all: readonly Entry[]): Promise<void> {
    const needed = all.map(({ planned }) => Number(planned.parameters.connections ?? 1));
    for (const [{ target }, waiting] of Map.groupBy(this.#entries, ({ run }) => run)) {
      if (!await hasRoom(target, Math.max(1, ...needed) + waiting.length)) return;
    }
    this.#begin();
  }

  /** Waits until all have ended. `show` is called with the reason for waiting. */
  async end(show: (entry: Entry, what: string) => void): Promise<void> {
    const first = this.#entries.find(({ isGoing }) => isGoing);
    if (this.#all === null && first !== undefined) this.#begin();
    if (this.areOpen && first !== undefined) show(first, first.procedure!.waiting!.what);
    await this.#all;
  }

  #begin(): void {
    const going = this.#entries.filter(({ isGoing }) => isGoing);
    this.areOpen = going.length > 0;
    const waits = going.map((entry) =>
      entry.procedure!.waiting!.until().catch((error) => this.#fail(entry, error))
    );
    this.#all = Promise.all(waits).finally(() => this.areOpen = false);
  }
}

/** True if so many connections can be open at once. */
async function hasRoom(target: Target, count: number): Promise<boolean> {
  if (count > MOST_TRIED) return false;
  const tried = await Promise.allSettled(
    Array.from({ length: count }, () => target.connect(openLedger())),
  );
  const opened = tried.flatMap((one) => one.status === "fulfilled" ? one.value : []);
  await Promise.allSettled(opened.map((connection) => connection.close()));
  return opened.length === count;
}
