import { systemClock as clock } from "../client/clock.ts";
import { ConnectError } from "../client/connect_error.ts";
import { openLedger } from "../client/ledger.ts";
import { redactUrl } from "../client/redact_url.ts";
import { Target } from "../client/target.ts";
import { wait } from "../load/pace.ts";
import { PROTOCOLS } from "../protocols/mod.ts";
import type { RunSettings } from "./settings.ts";

const RETRY_MS = 250;

/**
 * Retries until a session opens, for at most `waitMs` plus the timeout of the last attempt. Returns
 * early if waiting cannot help; the preflight then reports the failure.
 *
 * @param options.onProgress called when the wait begins, and when the server is up
 */
export async function waitForServer(
  { waitMs = 0, protocol, shard: _, ...reach }: RunSettings,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (text: string) => void },
): Promise<void> {
  if (waitMs === 0) return;
  using target = new Target({ ...reach, protocol: PROTOCOLS[protocol], clock, signal });
  const startNs = clock.nowNs();
  const elapsedMs = () => (clock.nowNs() - startNs) / 1e6;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      await (await target.connect(openLedger())).close();
      if (attempt > 0) onProgress(`the server answered after ${(elapsedMs() / 1e3).toFixed(1)} s`);
      return;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (!isStarting(error) || elapsedMs() + RETRY_MS >= waitMs) return;
      if (attempt === 0) {
        const what = `up to ${waitMs / 1e3} s for the server at ${redactUrl(reach.url)}`;
        onProgress(`waiting ${what}: ${error.message}`);
      }
    }
    await wait(RETRY_MS, { clock, signal });
  }
}

const STARTING = ["refused", "unknownHost", "timeout", "notWebSocket", "noHelloAck", "closed"];

/** True for failures of a server that is still starting, or of a gateway in front of it. */
function isStarting({ failure, details: { httpStatus = 0 } }: ConnectError): boolean {
  return failure === "httpStatus" ? httpStatus >= 500 : STARTING.includes(failure);
}
