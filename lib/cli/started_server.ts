import { connect } from "node:net";
import type { ForeignText } from "../client/foreign_text.ts";
import { causeOf, UsageError } from "./usage_error.ts";

/** How long a server that is started may take to listen, and to end after it is told to. */
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 5_000;
const POLL_MS = 20;

/** A server that is started by a command, on a free port of this machine. Dispose of it to stop it. */
export class StartedServer implements AsyncDisposable {
  readonly #option: string;
  readonly #command: string;
  readonly #port: number;
  readonly #foreign: ForeignText;
  #process: Deno.ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();

  /**
   * @param option the option that gave the command, for errors
   * @param foreign what the command and the words of the server go through in errors
   */
  constructor(option: string, command: string, foreign: ForeignText) {
    if (!command.includes("{port}")) {
      throw new UsageError(
        `Cannot use ${option} "${
          foreign(command, 500)
        }": accepted is a command with {port} in it, such as ` +
          `"node server.js --port {port}"`,
      );
    }
    this.#option = option;
    this.#command = command;
    this.#foreign = foreign;
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#port = listener.addr.port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  /**
   * Starts it, or ends it and starts it again, and waits until it listens.
   *
   * @throws {UsageError} if it ends by itself or does not listen in time
   */
  async restart(): Promise<void> {
    await this.stop();
    const command = this.#command.replaceAll("{port}", String(this.#port));
    const [shell, flag] = Deno.build.os === "windows" ? ["cmd", "/c"] : ["sh", "-c"];
    // A group of its own, so that what the shell has started ends with it.
    const io = { stdin: "null", stdout: "null", stderr: "piped" } as const;
    const options = { args: [flag, command], ...io, detached: true };
    const child = this.#spawn(shell!, options as Deno.CommandOptions);
    this.#process = child;
    let code: number | null = null;
    const said = lastWords(child.stderr);
    this.#ended = Promise.all([child.status.then((status) => code = status.code), said.ended]);
    for (const endMs = performance.now() + START_LIMIT_MS; performance.now() < endMs;) {
      if (await this.#isListening()) return;
      if (code !== null) {
        await this.#ended;
        throw this.#error(
          `it ended with exit code ${code} before it listened${said.text(this.#foreign)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw this.#error(`nothing listens on port ${this.#port} after ${START_LIMIT_MS / 1000} s`);
  }

  /** Ends it, at first in good order. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#process = null;
    signalGroup(child.pid, "SIGTERM");
    const timer = setTimeout(() => signalGroup(child.pid, "SIGKILL"), STOP_LIMIT_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #spawn(shell: string, options: Deno.CommandOptions): Deno.ChildProcess {
    try {
      return new Deno.Command(shell, options).spawn();
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      throw this.#error(causeOf(error));
    }
  }

  #isListening(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: this.#port });
      const end = (isListening: boolean) => {
        socket.destroy();
        resolve(isListening);
      };
      socket.once("connect", () => end(true));
      socket.once("error", () => end(false));
    });
  }

  #error(why: string): UsageError {
    const command = this.#foreign(this.#command, 500);
    return new UsageError(`Cannot start the server of ${this.#option} "${command}": ${why}`);
  }
}

/** So much of what a server writes to its standard error is kept, and shown, in characters. */
const KEPT_LENGTH = 10_000;
const SHOWN_LENGTH = 300;

/** The end of a text stream, in one line, to be added to a message. */
function lastWords(
  stream: ReadableStream<Uint8Array>,
): { ended: Promise<void>; text(foreign: ForeignText): string } {
  let kept = "";
  const read = async () => {
    for await (const part of stream.pipeThrough(new TextDecoderStream() as never)) {
      kept = (kept + part).slice(-KEPT_LENGTH);
    }
  };
  return {
    ended: read(),
    text(foreign) {
      // Masked first, so that no cut leaves the end of a secret.
      const line = foreign(kept.trim().replace(/\s+/g, " "), Infinity).slice(-SHOWN_LENGTH);
      return line === "" ? "" : `: ${line}`;
    },
  };
}

/** The process and all that it has started; one that has ended is left alone. */
function signalGroup(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(Deno.build.os === "windows" ? pid : -pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
