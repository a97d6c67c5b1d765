/**
 * Third-party servers as child processes that end with their test, or with the test process.
 *
 * @module
 */

/** A server in its own process; disposing ends it and all its descendants. */
export interface PeerProcess extends AsyncDisposable {
  /** The match of `readyWhen`. */
  readonly ready: RegExpExecArray;
  /** Ids of the process and its descendants. */
  processes(): Promise<number[]>;
}

const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 10_000;

/**
 * Starts a server and waits until it is ready, which is when stdout or stderr match `readyWhen`.
 *
 * @throws {Error} if it ends before, or is not ready in time
 */
export async function startPeer(
  { command, args, readyWhen }: { command: string; args: readonly string[]; readyWhen: RegExp },
): Promise<PeerProcess> {
  const child = new Deno.Command(command, {
    args: [...args],
    detached: true,
    stdin: "piped", // The server reads it, and so ends with this process at the latest.
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ready = Promise.withResolvers<RegExpExecArray>();
  let output = "";
  const listen = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      // Later output, such as a log of every message, is discarded.
      if (output.length < 100_000) output += text;
      const match = readyWhen.exec(output);
      if (match !== null) ready.resolve(match);
    }
  };
  const listening = Promise.all([listen(child.stdout), listen(child.stderr)]);
  const { pid } = child;
  const fail = (why: string) => ready.reject(new Error(`${command} ${why}: ${output}`));
  child.status.then(() => fail("ended before it was ready"));
  const deadline = setTimeout(() => fail("was not ready in time"), START_TIMEOUT_MS);
  const stop = async () => {
    const family = await familyOf(pid);
    await child.stdin.close().catch(() => {});
    kill(pid, "SIGTERM");
    const last = setTimeout(() => family.forEach((one) => kill(one, "SIGKILL")), END_TIMEOUT_MS);
    await child.status;
    await listening;
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

/** Sends a signal to a process if it still exists. */
function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A process and its running descendants; without `ps`, only itself. */
async function familyOf(pid: number): Promise<number[]> {
  const processes = await listProcesses();
  const family = [pid];
  for (const member of family) { // Grows while iterating.
    for (const [child, parent] of processes ?? []) if (parent === member) family.push(child);
  }
  return family;
}

/** The parent of every running process; `null` without `ps`. */
export async function listProcesses(): Promise<Map<number, number> | null> {
  try {
    const { stdout } = await new Deno.Command("ps", { args: ["-Ao", "pid=,ppid=,stat="] }).output();
    const rows = new TextDecoder().decode(stdout).trim().split("\n").map((line) =>
      line.trim().split(/\s+/)
    );
    const running = rows.filter(([, , state]) => !state?.startsWith("Z")); // Z: a zombie.
    return new Map(running.map(([pid, parent]) => [Number(pid), Number(parent)]));
  } catch {
    return null;
  }
}

/** A port that was free a moment ago, for programs that cannot choose one. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
