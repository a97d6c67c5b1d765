import type { ForeignText } from "../client/foreign_text.ts";
import { causeOf, UsageError } from "./usage_error.ts";

/** Time limits for a server to start listening, and to exit when told to. */
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 5_000;
const POLL_MS = 20;
/** How many characters of a server's standard error are kept, and shown. */
const KEPT_LENGTH = 10_000;
const SHOWN_LENGTH = 300;

/**
 * A server that a command starts, on a free port of this machine. Disposing stops it, by force if it
 * does not exit in time. `restart` starts or restarts it, and returns once it listens or `signal`
 * aborts; it throws a UsageError if the server exits, or does not listen in time.
 *
 * @param foreign masks secrets in the command and in the server's output
 * @throws {UsageError} if the command has no `{port}`
 */
export function startedServer(option: string, command: string, foreign: ForeignText) {
  const name = `${option} "${foreign(command, 500)}"`;
  if (!command.includes("{port}")) {
    const accepted =
      'accepted is a command with {port} in it, such as "node server.js --port {port}"';
    throw new UsageError(`Cannot use ${name}: ${accepted}`);
  }
  const failure = (why: string) => new UsageError(`Cannot start the server of ${name}: ${why}`);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  let stop = () => Promise.resolve();
  return {
    url: `ws://127.0.0.1:${port}`,
    async restart(signal: AbortSignal): Promise<void> {
      await stop();
      if (signal.aborted) return;
      const child = spawn(command.replaceAll("{port}", String(port)), failure);
      let code: number | null = null;
      let output = "";
      const keep = (part: string) => void (output = (output + part).slice(-KEPT_LENGTH));
      const kill = () => signalGroup(child.pid, "SIGKILL");
      // A second Ctrl-C exits without disposing of anything.
      addEventListener("unload", kill);
      const cut = new AbortController();
      const ended = Promise.allSettled([
        child.status.then((status) => code = status.code),
        child.stderr.pipeThrough(new TextDecoderStream())
          .pipeTo(new WritableStream({ write: keep }), { signal: cut.signal }),
      ]);
      stop = async () => {
        stop = () => Promise.resolve();
        signalGroup(child.pid, "SIGTERM");
        // A process that has left the group can hold standard error open.
        const timer = setTimeout(() => {
          kill();
          cut.abort();
        }, STOP_LIMIT_MS);
        await ended;
        clearTimeout(timer);
        removeEventListener("unload", kill);
      };
      for (const endMs = performance.now() + START_LIMIT_MS; performance.now() < endMs;) {
        if (signal.aborted || await isListening(port)) return;
        if (code !== null) {
          await stop();
          // Masked first, as a cut could leave the end of a secret.
          const shown = foreign(output.trim().replace(/\s+/g, " "), Infinity);
          const end = shown === "" ? "" : `: ${shown.slice(-SHOWN_LENGTH)}`;
          throw failure(`it exited with code ${code} before it listened${end}`);
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      throw failure(`nothing listens on port ${port} after ${START_LIMIT_MS / 1000} s`);
    },
    [Symbol.asyncDispose]: () => stop(),
  };
}

/** Starts a command in a process group of its own, so that the shell's children are stopped too. */
function spawn(command: string, failure: (why: string) => UsageError): Deno.ChildProcess {
  const [shell, flag] = Deno.build.os === "windows" ? ["cmd", "/c"] : ["sh", "-c"];
  const io = { stdin: "null", stdout: "null", stderr: "piped" } as const;
  try {
    return new Deno.Command(shell!, { args: [flag!, command], ...io, detached: true }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw failure(causeOf(error));
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
