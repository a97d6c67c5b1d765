import type { Frame, Protocol } from "../protocols/protocol.ts";
import type { ForeignText } from "./foreign_text.ts";

/** A server's words for an error are kept to this length, in characters. */
const MESSAGE_CHARACTERS = 1_000;

/** The protocol, with every text that it takes out of a server's frames through `foreign`. */
export function maskedProtocol(protocol: Protocol, foreign: ForeignText): Protocol {
  return {
    ...protocol,
    classify(text) {
      const frame = protocol.classify(text);
      return frame.kind === "toolError" || frame.kind === "rateLimited" ? masked(frame) : frame;
    },
    open(credentials) {
      const { send, read } = protocol.open(credentials);
      if (read === null) return { send, read };
      return {
        send,
        read(text) {
          const reply = read(text);
          return reply.status === "refused" ? { ...reply, error: foreign(reply.error) } : reply;
        },
      };
    },
    readTools(text) {
      const page = protocol.readTools(text);
      if (page === null) return null;
      return {
        ...page,
        tools: page.tools.map((tool) => ({ ...tool, name: foreign(tool.name) })),
      };
    },
  };

  function masked(frame: Extract<Frame, { code: string }>): Frame {
    const { code, message } = frame;
    return { ...frame, code: foreign(code), message: foreign(message, MESSAGE_CHARACTERS) };
  }
}
