/**
 * A one-node Slurm cluster on this machine: munged, slurmctld and slurmd from Debian's packages
 * munge, slurmctld, slurmd and slurm-client, with all their files in a temporary folder.
 *
 * @module
 */

import { freePort } from "./peer_process.ts";
import { NEEDS_PROCESSES } from "./run_cli.ts";

const COMMANDS = ["/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/bin/sbatch"];

/** Why Slurm cannot run here; `null` if it can. */
export function slurmObstacle(): string | null {
  if (NEEDS_PROCESSES) return "needs permissions";
  if (Deno.build.os !== "linux") return `needs Linux, this is ${Deno.build.os}`;
  const missing = COMMANDS.filter((path) => !isFile(path));
  if (missing.length > 0) return `not installed: ${missing.join(", ")}`;
  return Deno.uid() === 0 ? null : "its daemons need root";
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A cluster that runs jobs. Disposing ends its daemons and removes its folder. */
interface SlurmCluster extends AsyncDisposable {
  readonly folder: string;
  /** Runs a Slurm command, or one that uses them, and returns its stdout. */
  run(command: string, args: readonly string[], env?: Record<string, string>): Promise<string>;
  /** Resolves when no job is left; rejects after a timeout. */
  idle(): Promise<void>;
}

/** Timeout of daemons and jobs. */
const TIMEOUT_MS = 90_000;
const POLL_MS = 250;

/** Starts a cluster with four job slots, however many cores there are. */
export async function startSlurm(): Promise<SlurmCluster> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "slurm-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  for (const name of ["munge", "state", "spool"]) await Deno.mkdir(`${folder}/${name}`);
  const key = crypto.getRandomValues(new Uint8Array(1024));
  await Deno.writeFile(`${folder}/munge/key`, key, { mode: 0o600 });
  await Deno.writeTextFile(`${folder}/slurm.conf`, configuration(folder));
  const env = { SLURM_CONF: `${folder}/slurm.conf` };
  for (const [command, args] of daemons(folder)) stack.use(startDaemon(command, { args, env }));
  const run: SlurmCluster["run"] = async (command, args, more = {}) => {
    const child = new Deno.Command(command, { args: [...args], env: { ...env, ...more } });
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    if (code === 0) return decoder.decode(stdout);
    throw new Error(`${command} ended with ${code}: ${decoder.decode(stderr)}`);
  };
  await until("the node is idle", async () => {
    const states = await run("sinfo", ["--noheader", "--format=%t"]).catch(() => "down");
    return states.trim() === "idle" ? null : states;
  });
  const owned = stack.move();
  return {
    folder,
    run,
    idle: () =>
      until("every job has ended", async () => {
        const jobs = await run("squeue", ["--noheader"]);
        return jobs.trim() === "" ? null : jobs;
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function until(what: string, look: () => Promise<string | null>): Promise<void> {
  const deadlineMs = Date.now() + TIMEOUT_MS;
  for (let seen = await look(); seen !== null; seen = await look()) {
    if (Date.now() > deadlineMs) throw new Error(`Timed out waiting until ${what}: ${seen}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The daemons in start order; each stays in the foreground. */
function daemons(folder: string): [command: string, args: string[]][] {
  const munge = (name: string) => `${folder}/munge/${name}`;
  return [
    ["/usr/sbin/munged", [
      ...["--foreground", "--force", `--key-file=${munge("key")}`],
      ...[`--socket=${munge("socket")}`, `--pid-file=${munge("pid")}`],
      ...[`--log-file=${munge("log")}`, `--seed-file=${munge("seed")}`],
    ]],
    ["/usr/sbin/slurmctld", ["-D", "-f", `${folder}/slurm.conf`]],
    ["/usr/sbin/slurmd", ["-D", "-f", `${folder}/slurm.conf`, "-N", Deno.hostname()]],
  ];
}

function startDaemon(
  command: string,
  options: { args: string[]; env: Record<string, string> },
): AsyncDisposable {
  const child = new Deno.Command(command, {
    ...options,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended = false;
  const status = child.status.then(() => ended = true);
  return {
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGTERM");
      const deadline = setTimeout(() => ended || child.kill("SIGKILL"), 5_000);
      await status;
      clearTimeout(deadline);
    },
  };
}

function configuration(folder: string): string {
  const host = Deno.hostname();
  return `ClusterName=bench
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${freePort()}
SlurmdPort=${freePort()}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/munge/socket
CredType=cred/munge
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
NodeName=${host} NodeAddr=127.0.0.1 CPUs=4
PartitionName=bench Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`;
}
