import type { Report } from "../schema.ts";
import { MITATA_VERSION } from "../stats/sampling.ts";
import { cpus } from "node:os";

/** Describes the machine and the runtime. */
export function readEnvironment(): Omit<Report["environment"], "cpuPressure"> {
  const models = cpus().map(({ model }) => model.trim());
  return {
    os: Deno.build.os,
    arch: Deno.build.arch,
    cpuModel: models[0] ?? "unknown",
    cpuCount: models.length || navigator.hardwareConcurrency,
    memoryBytes: Deno.systemMemoryInfo().total,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    mitata: MITATA_VERSION,
  };
}

/**
 * Total time that some task has waited for a core since this machine booted, in nanoseconds; `null`
 * if unknown (Linux 4.20 or later knows).
 */
export function readCpuPressureNs(): number | null {
  try {
    const total = /^some .*total=(\d+)/m.exec(Deno.readTextFileSync("/proc/pressure/cpu"))?.[1];
    return total === undefined ? null : Number(total) * 1e3;
  } catch {
    return null;
  }
}

/** The commit checked out, read from `.git` without running git; `null` outside a checkout. */
export async function readCommit(repository: URL | null): Promise<string | null> {
  if (repository === null) return null;
  const read = (path: string) =>
    Deno.readTextFile(new URL(`.git/${path}`, repository)).then((text) => text.trim(), () => null);
  const head = await read("HEAD");
  if (head === null || !head.startsWith("ref: ")) return head;
  const ref = head.slice("ref: ".length);
  const packed = (await read("packed-refs"))?.split("\n") ?? [];
  return await read(ref) ?? packed.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0] ?? null;
}
