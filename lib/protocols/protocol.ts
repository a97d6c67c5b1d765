/**
 * What a protocol is: how a message is written and a reply recognised.
 *
 * @module
 */

import type { NotMeasured, ProtocolName } from "../schema.ts";

/** One decoded text frame. `id` is the request that it belongs to, `null` where it names none. */
export type Frame =
  /** `isBare`: it has nothing of what the result of a tool has. */
  | { kind: "result"; id: string | null; fromCache: boolean; isBare?: true }
  | { kind: "toolError"; id: string | null; code: string; message: string }
  | { kind: "rateLimited"; id: string | null; code: string; message: string }
  | { kind: "progress"; id: string | null; streamComplete: boolean }
  /**
   * `answer`: the frame that it must be answered with, where it is a request of the server's, of that id;
   * `reason`: why it may be meant for a reply, and is none.
   */
  | { kind: "notification"; id: string | null; answer: string | null; reason?: string }
  | { kind: "malformed"; id: null; reason: string };

/** Who a connection says it is. */
export interface Credentials {
  sessionId: string;
  token: string | null;
}

/** What the two sides have agreed on. */
export interface Session {
  /** Whether several messages may come in one frame. */
  batches: boolean;
  /** Whether the server says that it has tools. */
  tools: boolean;
}

/** What one frame means during the handshake. */
export type HandshakeReply =
  /**
   * `session`: left out where the protocol has nothing to agree on; `sessionId`: the session's, where the server says
   * it.
   */
  | { status: "accepted"; send: readonly string[]; session?: Session; sessionId?: string }
  /** `ours`: by this client, which does not speak what the server chose. */
  | { status: "refused"; error: string; ours?: true }
  /** `send`: the answer to a request of the server's; `reason`: what is wrong where it is meant for the answer. */
  | { status: "ignored"; send?: readonly string[]; reason?: string };

/** The opening of a session: frames to send at once, and how to read what comes back. */
export interface Handshake {
  send: readonly string[];
  /** `null`: the protocol has no handshake, the connection is usable as soon as it is open. */
  read: ((text: string) => HandshakeReply) | null;
}

/** An opening that the server must refuse, with the closes that count as the right refusal. */
export interface RejectionCase {
  name: string;
  /** The first frame to send; `null` sends nothing and waits for the server's patience to end. */
  first: string | null;
  expected: readonly { code: number; reasons: readonly string[] }[];
}

/** A request that a server answers without running a tool. */
export interface RoutingProbe {
  name: string;
  /** The frame to send. No two ids give the same one. */
  encode(id: string): string;
  /** Whether this frame is the answer to the request of that id. */
  isAnswer(text: string, id: string): boolean;
}

/** What a server makes of messages. */
export interface Answer {
  /** As `Conduct.shorten` has them; an expected one that ends in "…" stands for all that begin so. */
  frames: readonly string[];
  /** `null`: the connection stays open. */
  close: { code: number; reason: string } | null;
}

/** Messages that are not as the protocol wants them, or test a rule of it, and what must follow. */
export interface ConductCase {
  name: string;
  /** Whether a session is open; otherwise the messages stand in the place of the handshake. */
  inSession: boolean;
  /** Sent at once, in this order; none: the client stays silent. `null`: there is nothing to make it from. */
  send: readonly string[] | null;
  /** Each of them is right. */
  expected: readonly Answer[];
  /** Better than what the build does: right too, and worth a note. Left out: none. */
  better?: readonly Answer[];
  /** Whether progress frames count among the frames. */
  withProgress?: boolean;
  /** Whether it means something only where the server wants a token. */
  needsToken?: boolean;
}

/** What the cases are made from. */
export interface ConductOptions extends Credentials {
  /** As `Conduct.dialectOf` has it; `null`: not known, so that each of them is right. */
  dialect: string | null;
  tool: string;
  argsJson: string;
  /** The server's reply to a request for its tools; `null` where there was none. */
  toolList: string | null;
}

/** What a protocol says of bad messages. Pure, as the protocol is. */
export interface Conduct {
  /** The builds that it tells apart. */
  readonly dialects: readonly string[];
  /** The only build that all of these frames fit, sent in a session of that id; `null`: none, or several. */
  dialectOf(frames: readonly string[], sessionId: string): string | null;
  /** The nth request id of a session, from 1. */
  id(sessionId: string, nth: number): string;
  /** A frame in a few words, in which the nth id of the session is `rn`. */
  shorten(frame: string, sessionId: string): string;
  /** Every case, by name. The names and their order do not depend on the options. */
  cases(options: ConductOptions): ConductCase[];
  /** What the protocol says beside them, and why it is not among them. */
  leftOut: readonly NotMeasured[];
}

/** A tool as its server describes it. */
export interface ListedTool {
  name: string;
  /** JSON Schema of its arguments, as it came. */
  inputSchema: Record<string, unknown>;
  /** Does the server say that a call of it changes nothing? */
  isReadOnly: boolean;
}

/** Some of a server's tools, and where the next of them begin; `null`: these were the last. */
export interface ToolPage {
  tools: ListedTool[];
  cursor: string | null;
}

/** How a message is written and a reply recognised. Pure: no sockets, no state. */
export interface Protocol {
  readonly name: ProtocolName;
  /** The light tool that is called where the user names none. */
  readonly defaultTool: string;
  /** How a call's id is made: of any characters, or of digits alone, as many as a double holds exactly. */
  readonly ids: "text" | "number";
  /** Whether a session goes on under its id when its client comes back on another connection. */
  readonly sessionsOutliveConnections: boolean;
  /** Whether a reply shows that it comes from a cache. */
  readonly marksCached: boolean;
  /** Whether the client's last word in a handshake is one that no server answers, as left out: it is not. */
  readonly endsHandshakeUnanswered?: boolean;
  open(credentials: Credentials): Handshake;
  /** `argsJson` is a JSON text, inserted as it is. */
  encodeCall(id: string, tool: string, argsJson: string): string;
  classify(text: string): Frame;
  /** The messages in a frame that has several; `null`: it is no such frame. Left out: there are none. */
  unbatch?(text: string): string[] | null;
  /** What tells the server that nobody waits for the reply to a call any more. Left out: nothing does. */
  encodeCancel?(id: string): string;
  /** The name by which a server lists this tool; `null`: it is no tool, but a request of the protocol's own. */
  listedName(tool: string): string | null;
  /**
   * A request for the tools; `null` where the protocol has none.
   *
   * @param page which to ask for after the first, from 1, and what the page before it said; left out: the first
   */
  encodeListTools(id: string, page?: { nth: number; cursor: string }): string | null;
  /** The tools in a reply to `encodeListTools`, or `null` if this frame is not one. */
  readTools(text: string): ToolPage | null;
  /** Advice on a name that the server does not know, or `null`. */
  toolNameAdvice(tool: string): string | null;
  rejections(credentials: Credentials): RejectionCase[];
  /** The cheapest requests that there are, the cheapest first: not every server knows each. */
  readonly routingProbes: readonly RoutingProbe[];
  /** How long the server says that it took over this reply, in nanoseconds; `null` where it does not. */
  readServerNs(text: string): number | null;
  /** `null`: the protocol has no bad messages. */
  readonly conduct: Conduct | null;
}

/** Of a protocol that has calls and replies, and nothing beside them. */
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
