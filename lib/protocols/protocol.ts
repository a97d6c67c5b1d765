/**
 * The interface of a protocol: how messages are written and replies recognised.
 *
 * @module
 */

import type { NotMeasured, ProtocolName } from "../schema.ts";

/** A decoded text frame. `id` is the request that it belongs to; `null` if it names none. */
export type Frame =
  /** `isBare`: it has nothing that a tool's result has. */
  | { kind: "result"; id: string | null; fromCache: boolean; isBare?: true }
  | { kind: "toolError" | "rateLimited"; id: string | null; code: string; message: string }
  | { kind: "progress"; id: string | null; streamComplete: boolean }
  /**
   * `answer`: the frame to send back, if it is a server's request with that id; `canBeCall`: such a
   * request may be a call of this client; `reason`: why it is not a reply, though it may be meant as
   * one.
   */
  | {
    kind: "notification";
    id: string | null;
    answer: string | null;
    canBeCall?: boolean;
    reason?: string;
  }
  | { kind: "malformed"; id: null; reason: string };

export interface Credentials {
  sessionId: string;
  token: string | null;
}

/** Result of a handshake. */
export interface Session {
  /** True if a frame may hold several messages. */
  batches: boolean;
  /** True if the server declares tools. */
  tools: boolean;
}

/** What one frame means during the handshake. */
export type HandshakeReply =
  /** `sessionId` is set if the server names it. */
  | { status: "accepted"; send: readonly string[]; session?: Session; sessionId?: string }
  /** `ours`: refused by this client, which does not speak what the server chose. */
  | { status: "refused"; error: string; ours?: true }
  /** `send`: answers to a server's request; `reason`: what is wrong with an attempted answer. */
  | { status: "ignored"; send?: readonly string[]; reason?: string };

/** The opening of a session: what to send immediately, and how to read the replies. */
export interface Handshake {
  send: readonly string[];
  /** `null`: no handshake; the connection is usable as soon as it is open. */
  read: ((text: string) => HandshakeReply) | null;
}

/** An opening that the server must refuse, and the closes that count as a correct refusal. */
export interface RejectionCase {
  name: string;
  /** The first frame; `null` sends nothing and waits for the server's timeout. */
  first: string | null;
  expected: readonly { code: number; reasons: readonly string[] }[];
}

/** A request that a server answers without running a tool. */
export interface RoutingProbe {
  name: string;
  /** A frame that is unique to the id. */
  encode(id: string): string;
  /** True if `text` answers the request with this id. */
  isAnswer(text: string, id: string): boolean;
}

/** A server's reaction to messages. */
export interface Answer {
  /** Shortened by `Conduct.shorten`; an expected frame that ends in "…" is a prefix. */
  frames: readonly string[];
  /** `null`: the connection stays open. */
  close: { code: number; reason: string } | null;
}

/** Messages that break or test a rule of the protocol, and the correct reactions. */
export interface ConductCase {
  name: string;
  /** True: sent in an open session. False: sent instead of the handshake. */
  inSession: boolean;
  /** Sent together, in order; empty: stay silent. `null`: not possible on this server. */
  send: readonly string[] | null;
  /** Any of these is correct. */
  expected: readonly Answer[];
  /** Also correct, better than what the build does, and worth a note. */
  better?: readonly Answer[];
  /** True if progress frames are compared too. */
  withProgress?: boolean;
  /** True if it is meaningful only for a server that wants a token. */
  needsToken?: boolean;
}

/** Inputs of the cases. */
export interface ConductOptions extends Credentials {
  /** From `Conduct.dialectOf`; `null`: unknown, so the answers of any dialect are correct. */
  dialect: string | null;
  tool: string;
  argsJson: string;
  /** The server's reply to a request for its tools, if it gave one. */
  toolList: string | null;
}

/** A protocol's rules for bad messages. Pure, like the protocol. */
export interface Conduct {
  /** The builds that it distinguishes. */
  readonly dialects: readonly string[];
  /** The only build that all frames of this session fit; `null` if none or several do. */
  dialectOf(frames: readonly string[], sessionId: string): string | null;
  /** The nth request id of a session, from 1. */
  id(sessionId: string, nth: number): string;
  /** Summarises a frame; the session's nth id becomes `rn`. */
  shorten(frame: string, sessionId: string): string;
  /** All cases. Their names and order do not depend on the options. */
  cases(options: ConductOptions): ConductCase[];
  /** Rules without a case, and why. */
  leftOut: readonly NotMeasured[];
}

/** A tool as described by its server. */
export interface ListedTool {
  name: string;
  /** JSON Schema of its arguments, unchecked. */
  inputSchema: Record<string, unknown>;
  /** True if the server declares that calls change nothing. */
  isReadOnly: boolean;
}

/** A page of a server's tools; `cursor` is `null` on the last page. */
export interface ToolPage {
  tools: ListedTool[];
  cursor: string | null;
}

/** A protocol. Pure: no sockets, no state. */
export interface Protocol {
  readonly name: ProtocolName;
  /** A light tool, called unless the user names one. */
  readonly defaultTool: string;
  /** Ids are any text, or only digits that a double holds exactly. */
  readonly ids: "text" | "number";
  /** True if a session survives under its id when the client reconnects. */
  readonly sessionsOutliveConnections: boolean;
  /** True if replies show that they come from a cache. */
  readonly marksCached: boolean;
  /** True if the handshake ends with a client's frame that no server answers. Default: false. */
  readonly endsHandshakeUnanswered?: boolean;
  open(credentials: Credentials): Handshake;
  /** `argsJson` is a JSON text, inserted verbatim. */
  encodeCall(id: string, tool: string, argsJson: string): string;
  classify(text: string): Frame;
  /** The messages of a batch frame; `null` for other frames. Default: no batches. */
  unbatch?(text: string): string[] | null;
  /** Tells the server that a call's reply is no longer needed. Default: not told. */
  encodeCancel?(id: string): string;
  /** The name by which a server lists this tool; `null` for a request of the protocol itself. */
  listedName(tool: string): string | null;
  /**
   * A request for the tools; `null` if the protocol has none.
   *
   * @param page number from 1 and cursor of a further page. Default: the first page
   */
  encodeListTools(id: string, page?: { nth: number; cursor: string }): string | null;
  /** The tools in a reply to `encodeListTools`; `null` for other frames. */
  readTools(text: string): ToolPage | null;
  /** Advice on a name that the server does not know, if there is any. */
  toolNameAdvice(tool: string): string | null;
  rejections(credentials: Credentials): RejectionCase[];
  /** The cheapest requests, cheapest first; not every server knows all of them. */
  readonly routingProbes: readonly RoutingProbe[];
  /** The server's own time for this reply, in nanoseconds; `null` if not stated. */
  readServerNs(text: string): number | null;
  /** `null`: the protocol has no rules for bad messages. */
  readonly conduct: Conduct | null;
}

/** Defaults for a protocol that has only calls and replies. */
export const CALLS_ALONE = {
  sessionsOutliveConnections: false,
  marksCached: false,
  open: () => ({ send: [], read: null }),
  listedName: () => null,
  encodeListTools: () => null,
  readTools: () => null,
  toolNameAdvice: () => null,
  rejections: () => [],
  routingProbes: [],
  readServerNs: () => null,
  conduct: null,
} satisfies Partial<Protocol>;
