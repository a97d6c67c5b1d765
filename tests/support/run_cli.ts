/**
 * Runs the command line as a user does: as a child process with its own environment and folder.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import type { Report } from "../../lib/schema.ts";
import { parseReport } from "../../lib/report/export/json.ts";

/** The folder of deno.json. */
export const PROJECT_FOLDER = fileURLToPath(new URL("../../", import.meta.url));

/** True in a bare `deno test`, which has no permission to start processes. */
export const NEEDS_PROCESSES = (["run", "net", "read", "write", "env"] as const).some((name) =>
  Deno.permissions.querySync({ name }).state !== "granted"
);

/** Options of a run of `message-throughput` that takes a fraction of a second. */
export const SHORT_RUN = [
  ...["--profile", "quick", "--scenarios", "message-throughput"],
  ...["--epochs", "1", "--warmup", "0", "--duration", "0.05", "--unit-baseline", "1000"],
];

/** A child that runs longer is killed, so that no test can hang. */
const DEADLINE_MS = 180_000;

/** Variables that the program reads; a child does not inherit them. */
const OWN_VARIABLES = [...project.permissions.bench.env, ...project.permissions.serve.env];

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

interface CliOptions {
  /** The folder that the user calls from. */
  folder: string;
  env?: Record<string, string>;
  /** Runs the command of a task, `deno task bench` itself, or the bundle. Default: `bench`. */
  via?:
    | "bench"
    | "bench:open"
    | "serve"
    | "merge"
    | "workload"
    | "ab"
    | "calibrate"
    | "task"
    | "bundle";
  /** Limit of open files and sockets (`ulimit -n`). */
  descriptors?: number;
  /** The folder of the program. Default: this project. */
  project?: string;
}

export interface RunningCli extends AsyncDisposable {
  /** Resolves when the child has ended. */
  readonly result: Promise<CliResult>;
  /** Sends a signal unless the child has ended. */
  kill(signal: Deno.Signal): void;
  /** Resolves with the first match in the output; rejects if the child ends without one. */
  waitFor(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts the command line; disposing kills it. */
export function startCli(
  args: readonly string[],
  options: CliOptions,
  deadlineMs = DEADLINE_MS,
): RunningCli {
  const command = [Deno.execPath(), ...programArguments(options.via ?? "bench"), ...args];
  const { descriptors } = options;
  const [program, ...rest] = descriptors === undefined
    ? command
    : ["sh", "-c", `ulimit -n ${descriptors}; exec "$@"`, "sh", ...command];
  const child = new Deno.Command(program!, {
    args: rest,
    cwd: options.project ?? PROJECT_FOLDER,
    clearEnv: true,
    env: { ...foreignVariables(), INIT_CWD: options.folder, ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let ended = false;
  const kill = (signal: Deno.Signal) => {
    if (!ended) child.kill(signal);
  };
  const deadline = setTimeout(() => kill("SIGKILL"), deadlineMs);
  const streams = { stdout: collect(child.stdout), stderr: collect(child.stderr) };
  const result = (async () => {
    const { code } = await child.status;
    ended = true;
    clearTimeout(deadline);
    const [stdout, stderr] = await Promise.all([streams.stdout.all, streams.stderr.all]);
    return { code, stdout, stderr };
  })();
  return {
    result,
    kill,
    waitFor: (stream, pattern) => streams[stream].waitFor(pattern),
    async [Symbol.asyncDispose]() {
      kill("SIGKILL");
      await result;
    },
  };
}

/** Runs the command line to its end. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  await using running = startCli(args, options);
  return await running.result;
}

/** Starts `serve` on a free port. */
export async function startServe(
  args: readonly string[],
  options: CliOptions,
): Promise<RunningCli & { url: string }> {
  const running = startCli(["--port", "0", ...args], { ...options, via: "serve" });
  const [url] = await running.waitFor("stdout", /ws:\/\/\S+:\d+(?=\s)/);
  return { ...running, url, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

/** A temporary folder to call from, with an empty `.env` so that the project's is not read. */
export interface UserFolder extends AsyncDisposable {
  readonly path: string;
  write(name: string, text: string): Promise<void>;
  /** The text of every file under the folder by path, except `.env`. */
  files(under?: string): Promise<Map<string, string>>;
  /** The validated report.json in `name`, or in `reports`. */
  report(name?: string): Promise<Report>;
}

/** Makes a folder; disposing removes it. */
export async function makeUserFolder(): Promise<UserFolder> {
  const path = await Deno.makeTempDir({ prefix: "bench-user-" });
  const folder: UserFolder = {
    path,
    write: (name, text) => Deno.writeTextFile(`${path}/${name}`, text),
    files: (under = ".") => readFiles(path, under),
    async report(name = "reports") {
      const file = `${path}/${name}/report.json`;
      return parseReport(await Deno.readTextFile(file), file);
    },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
  await folder.write(".env", "");
  return folder;
}

async function readFiles(root: string, under: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${under}`)) {
    const path = under === "." ? name : `${under}/${name}`;
    if (isDirectory) {
      for (const [key, text] of await readFiles(root, path)) files.set(key, text);
    } else if (name !== ".env") files.set(path, await Deno.readTextFile(`${root}/${path}`));
  }
  return files;
}

/** The command of the task without its leading `deno`. */
function programArguments(via: NonNullable<CliOptions["via"]>): string[] {
  if (via === "task") return ["task", "bench"];
  if (via === "bundle") return ["run", "-A", "--no-prompt", "--cached-only", "--no-config"];
  return project.tasks[via].command.split(" ").slice(1);
}

/** The variables that a child inherits, such as the locations of caches and registries. */
function foreignVariables(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => !OWN_VARIABLES.includes(name)),
  );
}

/** Collects the text of a stream. */
function collect(stream: ReadableStream<Uint8Array>): {
  all: Promise<string>;
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
} {
  let text = "";
  let isOver = false;
  let wake = Promise.withResolvers<void>();
  const all = (async () => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      wake.resolve();
    }
    isOver = true;
    wake.resolve();
    return text;
  })();
  return {
    all,
    async waitFor(pattern) {
      while (true) {
        const match = pattern.exec(text);
        if (match !== null) return match;
        if (isOver) throw new Error(`Cannot find ${pattern} in what the child wrote:\n${text}`);
        await wake.promise;
        wake = Promise.withResolvers();
      }
    },
  };
}
