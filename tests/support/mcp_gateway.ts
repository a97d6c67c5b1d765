import { freePort, type PeerProcess, startPeer } from "./peer_process.ts";

/** A real MCP server behind a real gateway. */
export type McpGateway = PeerProcess & { readonly url: string };

/** The gateway cannot choose a free port, and another process can take ours first. */
const TRIES = 3;

/**
 * Starts `@modelcontextprotocol/server-everything` behind `supergateway`, as `npx supergateway
 * --stdio "npx @modelcontextprotocol/server-everything" --outputTransport ws` does.
 *
 * @param folder where the packages are installed
 */
export async function startMcpGateway(folder: string): Promise<McpGateway> {
  for (let left = TRIES - 1;; left--) {
    const port = freePort();
    try {
      const peer = await startPeer({
        command: "node",
        args: [
          ...[`${folder}/node_modules/supergateway/dist/index.js`, "--outputTransport", "ws"],
          ...["--port", String(port), "--messagePath", "/mcp", "--stdio"],
          `node "${folder}/node_modules/@modelcontextprotocol/server-everything/dist/index.js"`,
        ],
        readyWhen: /Listening on port \d+/,
      });
      return { ...peer, url: `ws://127.0.0.1:${port}/mcp` };
    } catch (error) {
      const isTaken = error instanceof Error && error.message.includes("EADDRINUSE");
      if (!isTaken || left === 0) throw error;
    }
  }
}
