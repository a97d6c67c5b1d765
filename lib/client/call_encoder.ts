import type { Protocol } from "../protocols/protocol.ts";

/** What a call says. */
export interface Message {
  readonly tool: string;
  /** A JSON text. */
  readonly argsJson: string;
}

/** An id in either form, digits alone, that nothing else in a message is likely to be. */
const PLACEHOLDER = "987654321987654";

/**
 * Writes calls as the protocol has it. What is the same in all calls of one message object is written only
 * once, since most runs make one and the same call again and again.
 */
export class CallEncoder {
  readonly #protocol: Protocol;
  /** The last message, and what is before and after the id in it; `null`: it has not come twice in a row. */
  #message: Message | null = null;
  #head: string | null = null;
  #tail = "";

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
  }

  /** The same text as that of the protocol's `encodeCall`, for ids as connections make them. */
  encode(id: string, message: Message): string {
    if (message === this.#message) {
      if (this.#head !== null) return this.#head + id + this.#tail;
      this.#split(message);
    } else {
      this.#message = message;
      this.#head = null;
    }
    return this.#protocol.encodeCall(id, message.tool, message.argsJson);
  }

  #split({ tool, argsJson }: Message): void {
    const parts = this.#protocol.encodeCall(PLACEHOLDER, tool, argsJson).split(PLACEHOLDER);
    if (parts.length !== 2) return;
    [this.#head, this.#tail] = parts as [string, string];
  }
}
