import type { ProtocolName } from "../schema.ts";
import type { Protocol } from "./protocol.ts";
import { echo } from "./echo.ts";
import { exai } from "./exai.ts";
import { jsonrpc, mcp } from "./mcp.ts";

/** All protocols by name. */
export const PROTOCOLS: Record<ProtocolName, Protocol> = { exai, mcp, jsonrpc, echo };
