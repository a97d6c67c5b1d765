import { ConnectError } from "../client/connect_error.ts";
import type { Connection } from "../client/connection.ts";
import type { OpenLedger } from "../client/ledger.ts";
import type { ScenarioContext } from "./scenario.ts";

/**
 * Opens connections one by one until one is refused or the bound is reached. The stack closes them
 * in parallel, with any that the caller adds to `held`.
 *
 * @returns `refusal`: by the server or by this client's own limit, `null` at the bound;
 *   `elapsedNs`: duration of the refused attempt
 * @throws {ConnectError} if a connection fails otherwise, or the first one is refused
 * @throws the signal's reason, if aborted
 */
export async function fillServer(
  { target, clock }: Pick<ScenarioContext, "target" | "clock">,
  { bound, ledger, stack }: { bound: number; ledger: OpenLedger; stack: AsyncDisposableStack },
): Promise<{ held: Connection[]; refusal: ConnectError | null; elapsedNs: number }> {
  const held: Connection[] = [];
  stack.defer(async () => {
    await Promise.allSettled(held.map((connection) => connection.close()));
  });
  while (held.length < bound) {
    const startNs = clock.nowNs();
    const opened = await target.tryConnect(ledger);
    if (opened instanceof ConnectError) {
      const isEnd = opened.isRefusal || opened.failure === "clientLimit";
      if (held.length === 0 || !isEnd) throw opened;
      return { held, refusal: opened, elapsedNs: clock.nowNs() - startNs };
    }
    held.push(opened);
  }
  return { held, refusal: null, elapsedNs: 0 };
}
