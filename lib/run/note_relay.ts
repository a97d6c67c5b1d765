import type { Target } from "../client/target.ts";
import type { Recording } from "./scenario.ts";

/**
 * Says in the report what went past Nagle's algorithm, where that is another than the run's own calls.
 *
 * @param what goes through the relay, such as `calls of heavy tools`; `null`: nothing does
 */
export function noteRelayed(
  { target, note }: Pick<Recording, "note"> & { target: Target },
  what: string | null,
): void {
  if (what === null || target.relays() || !target.hasRelay) return;
  const message = `${what} go through a local relay without Nagle's algorithm (docs/method.md)`;
  note({ kind: "relayed", message });
}

/** For a scenario that times how connections open or close, or their first call. */
export function noteOpenings(
  { target, ...recording }: Pick<Recording, "note" | "invalidate"> & { target: Target },
): void {
  if (!target.opensInTwoWrites) return;
  if (target.hasRelay) return noteRelayed({ target, ...recording }, "its connections");
  const message =
    "the client's system holds back what follows a handshake for up to 40 ms (Nagle's algorithm), which " +
    "is in these times: measure with --no-delay auto";
  recording.invalidate({ kind: "heldBack", message });
}
