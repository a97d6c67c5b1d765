import type { Target } from "../client/target.ts";
import type { Recording } from "./scenario.ts";

/**
 * Notes in the report what goes through the relay, unless all calls of the run do.
 *
 * @param what such as `calls of heavy tools`; `null`: nothing
 */
export function noteRelayed(
  { target, note }: Pick<Recording, "note"> & { target: Target },
  what: string | null,
): void {
  if (what === null || target.relays() || !target.hasRelay) return;
  const message = `${what} go through a local relay without Nagle's algorithm (docs/method.md)`;
  note({ kind: "relayed", message });
}

/** Notes how Nagle's algorithm affects a scenario that times connections or their first calls. */
export function noteOpenings(
  { target, ...recording }: Pick<Recording, "note" | "invalidate"> & { target: Target },
): void {
  if (!target.opensInTwoWrites) return;
  if (target.hasRelay) return noteRelayed({ target, ...recording }, "its connections");
  const message =
    "these times include delays of up to 40 ms after each handshake, by Nagle's algorithm on the " +
    "client: measure with --no-delay auto";
  recording.invalidate({ kind: "heldBack", message });
}
