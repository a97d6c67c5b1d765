import type { Socket } from "./socket.ts";

/**
 * Questions and answers on a raw socket, one at a time, in no ledger: for what is no call, and for servers
 * that are not under test.
 */
export class SocketExchange {
  readonly #socket: Socket;
  #hear: ((text: string) => boolean) | null = null;
  #giveUp: (() => void) | null = null;

  /** @param replyTo what a frame that answers no question must itself be answered with; `null`: nothing */
  constructor(socket: Socket, replyTo: (text: string) => string | null = () => null) {
    this.#socket = socket;
    socket.onText((text) => {
      if (text === null || this.#hear?.(text)) return;
      const reply = replyTo(text);
      if (reply !== null) socket.send(reply);
    });
    socket.closed.then(() => this.#giveUp?.());
  }

  /**
   * Sends a frame and waits for the first frame that `judge` gives an answer for; others it passes over.
   * Frames between two questions belong to none. `null`: the socket ended before. Close it to give up.
   */
  ask<T>(text: string, judge: (text: string) => T | null): Promise<T | null> {
    const answered = Promise.withResolvers<T | null>();
    this.#hear = (frame) => {
      const answer = judge(frame);
      if (answer === null) return false;
      this.#hear = null;
      answered.resolve(answer);
      return true;
    };
    this.#giveUp = () => answered.resolve(null);
    if (!this.#socket.send(text)) this.#giveUp();
    return answered.promise;
  }

  /** Closes the socket; a question that waits is given up. */
  async close(): Promise<void> {
    await this.#socket.close();
  }
}
