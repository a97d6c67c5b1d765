import { shakeHands } from "../client/handshake.ts";
import type { Target } from "../client/target.ts";
import type { ListedTool, ToolPage } from "../protocols/protocol.ts";

/** A server that always names another page is not listened to for ever. */
const MOST_PAGES = 100;

/** What a server says of its tools. */
export type ToolList =
  | {
    status: "listed";
    /** Of all pages, in the server's order. */
    tools: ListedTool[];
    /** The first page as it came, and when it was asked for and came, in unix milliseconds. */
    first: { text: string; sentMs: number; receivedMs: number };
  }
  /** There is no list, as the protocol or the server has none. */
  | { status: "none" }
  /** It did not come in time. */
  | { status: "late" };

/**
 * Asks for all tools of a server, page by page, in a session of its own. The list stays the server's words.
 *
 * @param options `waitMs`: how long each page may take
 * @throws {ConnectError} if no session opens
 */
export async function listTools(
  target: Target,
  { waitMs }: { waitMs: number },
): Promise<ToolList> {
  const { protocol, clock } = target.options;
  const credentials = target.newCredentials();
  const id = `${credentials.sessionId}-list`;
  const request = protocol.encodeListTools(id);
  const socket = await target.dial();
  try {
    const { foreign } = target;
    const { session } = await shakeHands(socket, { ...target.options, credentials, foreign });
    if (request === null || session?.tools === false) return { status: "none" };
    const ask = async (text: string) => {
      const listed = Promise.withResolvers<{ text: string; page: ToolPage } | null>();
      socket.onText((text) => {
        const page = text === null ? null : protocol.readTools(text);
        if (text !== null && page !== null) listed.resolve({ text, page });
      });
      const cancel = clock.after(waitMs, () => listed.resolve(null));
      socket.closed.then(() => listed.resolve(null));
      socket.send(text);
      return await listed.promise.finally(cancel);
    };
    const sentMs = clock.date().getTime();
    let listed = await ask(request);
    if (listed === null) return { status: "late" };
    const first = { text: listed.text, sentMs, receivedMs: clock.date().getTime() };
    const tools = [...listed.page.tools];
    for (let nth = 1; listed.page.cursor !== null && nth < MOST_PAGES; nth++) {
      const { cursor } = listed.page;
      listed = await ask(protocol.encodeListTools(`${id}-${nth}`, { nth, cursor })!);
      if (listed === null) return { status: "late" };
      tools.push(...listed.page.tools);
    }
    return { status: "listed", tools, first };
  } finally {
    await socket.close();
  }
}
