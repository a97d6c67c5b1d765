/**
 * Servers that nobody here wrote, as child processes: they end with their test, or with the tests.
 *
 * @module
 */

/** A server in a process of its own; disposing ends it and all that it started. */
export interface PeerProcess extends AsyncDisposable {
  /** What its output said when it was ready. */
  readonly ready: RegExpExecArray;
  /** Its process, and those that it started so far. */
  processes(): Promise<number[]>;
}

export interface PeerOptions {
  command: string;
  args: readonly string[];
  /** What stdout or stderr says when it can be used. */
  readyWhen: RegExp;
}

/** How long it may take to be ready, and to end, before it is killed. */
const START_MS = 60_000;
const END_MS = 10_000;

/**
 * Starts one, and waits until it is ready.
 *
 * @throws {Error} if it ends before, or is not ready in time
 */
export async function startPeer({ command, args, readyWhen }: PeerOptions): Promise<PeerProcess> {
  const child = new Deno.Command(command, {
    args: [...args],
    detached: true, // A process group of its own, to be ended as a whole.
    stdin: "piped", // It ends with this process at the latest, as it reads to the end of that.
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ready = Promise.withResolvers<RegExpExecArray>();
  let said = "";
  const listen = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      // What comes later, such as a log of every message, is read and let go.
      if (said.length < 100_000) said += text;
      const match = readyWhen.exec(said);
      if (match !== null) ready.resolve(match);
    }
  };
  const output = Promise.all([listen(child.stdout), listen(child.stderr)]);
  const { pid } = child;
  child.status.then(() => ready.reject(new Error(`${command} ended before it was ready: ${said}`)));
  const deadline = setTimeout(
    () => ready.reject(new Error(`${command} was not ready in time: ${said}`)),
    START_MS,
  );
  const stop = async () => {
    const family = await familyOf(pid);
    await child.stdin.close().catch(() => {});
    kill(pid, "SIGTERM");
    const last = setTimeout(() => family.forEach((one) => kill(one, "SIGKILL")), END_MS);
    await child.status;
    await output;
    clearTimeout(last);
    family.forEach((one) => kill(one, "SIGKILL"));
  };
  try {
    const match = await ready.promise;
    return { ready: match, processes: () => familyOf(pid), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

/** Sends a signal to a process, if it is still there. */
function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A process and those below it that run, as far as the system tells; at least itself. */
async function familyOf(pid: number): Promise<number[]> {
  const processes = await listProcesses();
  const family = [pid];
  for (const member of family) { // It grows meanwhile.
    for (const [child, parent] of processes ?? []) if (parent === member) family.push(child);
  }
  return family;
}

/** The parent of every process that has not ended; `null` where there is no `ps` to tell. */
export async function listProcesses(): Promise<Map<number, number> | null> {
  try {
    const { stdout } = await new Deno.Command("ps", { args: ["-Ao", "pid=,ppid=,stat="] }).output();
    const rows = new TextDecoder().decode(stdout).trim().split("\n").map((line) =>
      line.trim().split(/\s+/)
    );
    // One that has ended and was not waited for is a Z.
    const running = rows.filter(([, , state]) => !state?.startsWith("Z"));
    return new Map(running.map(([pid, parent]) => [Number(pid), Number(parent)]));
  } catch {
    return null;
  }
}
