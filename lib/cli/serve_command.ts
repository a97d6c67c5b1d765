import { EXIT } from "../run/verdict.ts";
import { asksForToken } from "../server/options.ts";
import { startServer } from "../server/serve.ts";
import { parseServeOptions } from "./serve_options.ts";
import type { Interrupt, Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/** Addresses that no other machine reaches. */
const LOOPBACK = /^(localhost|127\.[\d.]+|::1)$/i;

/**
 * `serve`: the reference server alone, until it is interrupted.
 *
 * @throws {UsageError} if an option cannot be used, or the server cannot listen
 */
export async function serve(
  args: readonly string[],
  { variables, terminal, interrupt: listen }: {
    variables: Record<string, string | undefined>;
    terminal: Terminal;
    interrupt: (doing: string) => Interrupt;
  },
): Promise<number> {
  const options = parseServeOptions(args, variables);
  const interrupt = listen("stopping");
  await using server = await startServer(options).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  const { dialect, hostname } = options;
  if (!LOOPBACK.test(hostname)) {
    const who = asksForToken(options) ? "has the token" : "reaches this port: set a token";
    terminal.printWarning(`${hostname} is open to other machines: the server serves who ${who}`);
  }
  terminal.print(`Serving the EXAI protocol (dialect ${dialect}) at ${server.url}\n`);
  if (!interrupt.signal.aborted) {
    await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
  }
  return interrupt.exitCode ?? EXIT.interrupted;
}
