import { shakeHands } from "../client/handshake.ts";
import { Target, type TargetOptions } from "../client/target.ts";
import { PROTOCOLS } from "../protocols/mod.ts";
import type { ListedTool, ToolPage } from "../protocols/protocol.ts";
import type { ProtocolName } from "../schema.ts";
import { TargetUnusableError } from "./scenario.ts";

/** A server that always names another page is not listened to for ever. */
const MOST_PAGES = 1_000;

/**
 * All tools of a server, page by page, in its order.
 *
 * @throws {ConnectError} if no session opens
 * @throws {TargetUnusableError} if the protocol has no list, or the server gives none in time
 */
export async function listAllTools(
  { protocol: name, ...reach }: Omit<TargetOptions, "protocol"> & { protocol: ProtocolName },
): Promise<ListedTool[]> {
  const protocol = PROTOCOLS[name];
  using target = new Target({ ...reach, protocol });
  const { clock, timeoutMs } = reach;
  const credentials = target.newCredentials();
  const id = `${credentials.sessionId}-list`;
  const first = protocol.encodeListTools(id);
  if (first === null) throw new TargetUnusableError(`The ${name} protocol has no list of tools.`);
  const socket = await target.dial();
  try {
    await shakeHands(socket, { ...reach, protocol, credentials });
    const ask = async (request: string): Promise<ToolPage> => {
      const listed = Promise.withResolvers<ToolPage | null>();
      socket.onText((text) => {
        const page = text === null ? null : protocol.readTools(text);
        if (page !== null) listed.resolve(page);
      });
      socket.send(request);
      const cancel = clock.after(timeoutMs, () => listed.resolve(null));
      socket.closed.then(() => listed.resolve(null));
      const page = await listed.promise.finally(cancel);
      if (page !== null) return page;
      throw new TargetUnusableError(
        `The server did not list its tools within ${timeoutMs / 1000} s.`,
      );
    };
    let page = await ask(first);
    const tools = [...page.tools];
    for (let nth = 1; page.cursor !== null && nth < MOST_PAGES; nth++) {
      page = await ask(protocol.encodeListTools(`${id}-${nth}`, { nth, cursor: page.cursor })!);
      tools.push(...page.tools);
    }
    return tools;
  } finally {
    await socket.close();
  }
}
