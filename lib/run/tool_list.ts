import { shakeHands } from "../client/handshake.ts";
import type { Target } from "../client/target.ts";
import type { ListedTool, ToolPage } from "../protocols/protocol.ts";

/** For servers that always name a next page. */
const MOST_PAGES = 100;

/**
 * The tools of a server. `none`: it or its protocol has no list; `late`: not in time; `closed`: it
 * closed the connection instead.
 */
export type ToolList = { status: "none" | "late" | "closed" } | {
  status: "listed";
  /** Of all pages, in the server's order. */
  tools: ListedTool[];
  /** The first page as received, and when it was requested and received, in unix milliseconds. */
  first: { text: string; sentMs: number; receivedMs: number };
};

/**
 * Lists the tools of a server in a separate session. Secrets are masked in the tools' names only.
 *
 * @param options `waitMs`: timeout of each page
 * @throws {ConnectError} if no session opens
 */
export async function listTools(
  target: Target,
  { waitMs }: { waitMs: number },
): Promise<ToolList> {
  const { protocol, clock, foreign } = target.options;
  const credentials = target.newCredentials();
  const id = `${credentials.sessionId}-list`;
  const request = protocol.encodeListTools(id);
  const socket = await target.dial();
  try {
    const { session } = await shakeHands(socket, { ...target.options, credentials });
    if (request === null || session?.tools === false) return { status: "none" };
    const ask = async (text: string) => {
      const listed = Promise.withResolvers<{ text: string; page: ToolPage } | "late" | "closed">();
      socket.onText((text) => {
        const page = text === null ? null : protocol.readTools(text);
        if (text !== null && page !== null) listed.resolve({ text, page });
      });
      const cancel = clock.after(waitMs, () => listed.resolve("late"));
      socket.closed.then(() => listed.resolve("closed"));
      socket.send(text);
      return await listed.promise.finally(cancel);
    };
    const sentMs = clock.date().getTime();
    let listed = await ask(request);
    if (typeof listed === "string") return { status: listed };
    const first = { text: listed.text, sentMs, receivedMs: clock.date().getTime() };
    const tools = [...listed.page.tools];
    for (let nth = 1; listed.page.cursor !== null && nth < MOST_PAGES; nth++) {
      const { cursor } = listed.page;
      listed = await ask(protocol.encodeListTools(`${id}-${nth}`, { nth, cursor })!);
      if (typeof listed === "string") return { status: listed };
      tools.push(...listed.page.tools);
    }
    const masked = tools.map((tool) => ({ ...tool, name: foreign(tool.name) }));
    return { status: "listed", tools: masked, first };
  } finally {
    await socket.close();
  }
}
