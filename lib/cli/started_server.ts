import type { ForeignText } from "../client/foreign_text.ts";
import { causeOf, UsageError } from "./usage_error.ts";

/** Time limits for a server to start listening, and to exit when told to. */
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 5_000;
const POLL_MS = 20;
/** How many characters of a server's standard error are kept, and shown. */
const KEPT_LENGTH = 10_000;
const SHOWN_LENGTH = 300;

/** A server started by a command, on a free port of this machine. Dispose of it to stop it. */
export class StartedServer implements AsyncDisposable {
  /** The option and its command, for errors. */
  readonly #name: string;
  readonly #command: string;
  readonly #port: number;
  readonly #foreign: ForeignText;
  #process: Deno.ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();

  /**
   * @param foreign masks secrets in the command and in the server's output
   * @throws {UsageError} if the command has no `{port}`
   */
  constructor(option: string, command: string, foreign: ForeignText) {
    this.#name = `${option} "${foreign(command, 500)}"`;
    if (!command.includes("{port}")) {
      const accepted =
        'accepted is a command with {port} in it, such as "node server.js --port {port}"';
      throw new UsageError(`Cannot use ${this.#name}: ${accepted}`);
    }
    this.#command = command;
    this.#foreign = foreign;
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#port = listener.addr.port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  /**
   * Starts or restarts the server, and waits until it listens.
   *
   * @throws {UsageError} if it exits, or does not listen in time
   */
  async restart(): Promise<void> {
    await this[Symbol.asyncDispose]();
    const child = this.#spawn();
    this.#process = child;
    let code: number | null = null;
    let output = "";
    const collect = async () => {
      for await (const part of child.stderr.pipeThrough(new TextDecoderStream() as never)) {
        output = (output + part).slice(-KEPT_LENGTH);
      }
    };
    this.#ended = Promise.all([child.status.then((status) => code = status.code), collect()]);
    for (const endMs = performance.now() + START_LIMIT_MS; performance.now() < endMs;) {
      if (await isListening(this.#port)) return;
      if (code !== null) {
        await this.#ended;
        // Masked first, as a cut could leave the end of a secret.
        const shown = this.#foreign(output.trim().replace(/\s+/g, " "), Infinity);
        const end = shown === "" ? "" : `: ${shown.slice(-SHOWN_LENGTH)}`;
        throw this.#error(`it exited with code ${code} before it listened${end}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw this.#error(`nothing listens on port ${this.#port} after ${START_LIMIT_MS / 1000} s`);
  }

  /** Stops the server, by force if it does not exit in time. */
  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#process = null;
    signalGroup(child.pid, "SIGTERM");
    const timer = setTimeout(() => signalGroup(child.pid, "SIGKILL"), STOP_LIMIT_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #spawn(): Deno.ChildProcess {
    const command = this.#command.replaceAll("{port}", String(this.#port));
    const [shell, flag] = Deno.build.os === "windows" ? ["cmd", "/c"] : ["sh", "-c"];
    const io = { stdin: "null", stdout: "null", stderr: "piped" } as const;
    // A separate process group, so that the shell's children are stopped too.
    const options: Deno.CommandOptions = { args: [flag!, command], ...io, detached: true };
    try {
      return new Deno.Command(shell!, options).spawn();
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      throw this.#error(causeOf(error));
    }
  }

  #error(why: string): UsageError {
    return new UsageError(`Cannot start the server of ${this.#name}: ${why}`);
  }
}

async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

/** Signals a process and its children; does nothing if it has exited. */
function signalGroup(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(Deno.build.os === "windows" ? pid : -pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
