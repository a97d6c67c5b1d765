import { prepareSplit, runBench } from "../run/bench.ts";
import { planScenarios } from "../run/plan.ts";
import { type EmbeddedServer, startEmbeddedServer } from "../server/embedded.ts";
import { defaultServerOptions } from "../server/options.ts";
import { countWorkers } from "../split/worker_count.ts";
import { runOnWorkers } from "../split/workers.ts";
import type { Config } from "./config.ts";
import { measure, type Program, settingsOf } from "./measure.ts";
import { expecting } from "./usage_error.ts";

/** Starts the bundled server with its connection limit on and its rate limits off. */
async function startBundledServer({ token, seed }: Config): Promise<EmbeddedServer> {
  return await startEmbeddedServer(defaultServerOptions({
    ...{ token: token ?? crypto.randomUUID(), seed, limits: "off" },
    // Its heavy calls take seconds.
    progressIntervalMs: 250,
  }));
}

/**
 * Measures, writes the reports and returns the exit code.
 *
 * @throws {UsageError} if the plan does not fit the settings, or `--out` is not writable
 * @throws {ReportWriteError} if the final write fails, after the result has been printed
 * @throws {IncomparableError} if a baseline is of a different workload
 */
export async function bench(
  config: Config,
  program: Program & { args: readonly string[] },
): Promise<number> {
  const planned = planScenarios(program.scenarios, config);
  const embedded = config.url === null;
  const cores = navigator.hardwareConcurrency;
  const workers = expecting(
    RangeError,
    () => countWorkers(config.workers, { ...config, cores, embedded, planned }),
  );
  if (config.unusedShard !== null) program.terminal.printWarning(config.unusedShard);
  await using server = embedded ? await startBundledServer(config) : null;
  const { url, token } = server ?? { url: config.url!, token: config.token };
  const command = ["bench", ...program.args] as const;
  const settings = await settingsOf({ ...config, url, token }, program, command);
  const bundled = server === null ? null : { restart: () => server.restart() };
  return await measure(config, program, {
    ...{ planned, servers: [settings], start: null },
    async run(hooks) {
      const options = { ...hooks, bundled };
      if (workers === 1) return await runBench(settings, options);
      return await runOnWorkers(await prepareSplit(settings, options), {
        ...{ ...options, workers, module: program.workerModule },
        onLost: hooks.onWarning,
      });
    },
  });
}
