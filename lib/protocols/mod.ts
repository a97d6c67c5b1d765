import type { Protocol, ProtocolName } from "../contract.ts";
import { exai } from "./exai.ts";

/** The protocols by name. */
export const PROTOCOLS: Record<ProtocolName, Protocol> = { exai, mcp: exai, echo: exai };
