import type { Report } from "../schema.ts";
import { MITATA_VERSION } from "../stats/sampling.ts";
import { cpus } from "node:os";

/** The machine and the runtime, as report.json has them. */
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
 * For how long, since it started, some task of this machine has waited for a core, in nanoseconds; `null`
 * where the system does not say (Linux does, from 4.20 on).
 */
export function readCpuPressureNs(): number | null {
  try {
    const total = /^some .*total=(\d+)/m.exec(Deno.readTextFileSync("/proc/pressure/cpu"))?.[1];
    return total === undefined ? null : Number(total) * 1e3;
  } catch {
    return null;
  }
}

/** The commit that is checked out, read from `.git` without running git; `null` outside a checkout. */
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
