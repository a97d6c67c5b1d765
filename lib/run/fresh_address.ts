import { ConnectError } from "../client/connect_error.ts";
import { openLedger } from "../client/ledger.ts";
import type { SessionOptions, Target } from "../client/target.ts";

/**
 * Options for connecting from a loopback address that has not used any of its budget; none if the
 * server is remote or the system has no such addresses.
 *
 * @param stack closes the client that holds the address
 */
export async function freshAddress(
  target: Target,
  stack: AsyncDisposableStack,
): Promise<SessionOptions> {
  if (!target.isLoopback) return {};
  const client = target.clientFrom(randomLoopbackAddress());
  stack.defer(() => client.close());
  const opened = await target.tryConnect(openLedger(), { client });
  if (opened instanceof ConnectError) return {};
  await opened.close();
  return { client };
}

/** An address from 127.1.0.1 to 127.254.253.254, different for each run. */
function randomLoopbackAddress(): string {
  const [a, b, c] = crypto.getRandomValues(new Uint8Array(3));
  return `127.${1 + a! % 254}.${b! % 254}.${1 + c! % 254}`;
}

/** A second loopback address, to distinguish what is per address from what is for all. */
export const OTHER_ADDRESS = "127.0.0.2";
