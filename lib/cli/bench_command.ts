import { escapeTerminal } from "../report/escape.ts";
import { prepareSplit, runBench } from "../run/bench.ts";
import { startLimitedServer } from "../run/limited_server.ts";
import { planScenarios } from "../run/plan.ts";
import type { RunHooks } from "../run/run.ts";
import type { RunSettings } from "../run/settings.ts";
import type { Report } from "../schema.ts";
import { type EmbeddedServer, startEmbeddedServer } from "../server/embedded.ts";
import { defaultServerOptions } from "../server/options.ts";
import { runOnWorkers } from "../split/workers.ts";
import type { Config } from "./config.ts";
import { measure, type Program, settingsOf } from "./measure.ts";
import { countWorkersFor, filesOfEach, mostPlanned, requireDescriptors } from "./plan.ts";

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
  const workers = countWorkersFor(config, planned);
  requireDescriptors({
    connections: mostPlanned(planned, config.shard?.count ?? 1),
    each: filesOfEach({ ...config, isBundled: config.url === null }),
  });
  if (config.unusedShard !== null) program.terminal.printWarning(config.unusedShard);
  await using server = config.url === null ? await startBundledServer(config) : null;
  const { url, token } = server ?? { url: config.url!, token: config.token };
  const command = ["bench", ...program.args] as const;
  const settings = await settingsOf({ ...config, url, token }, program, command);
  const bundled = server === null ? null : {
    restart: () => server.restart(),
    startLimited: () => startLimitedServer(settings),
  };
  return await measure(config, program, {
    ...{ planned, servers: [settings], start: null },
    run: (hooks) => run(settings, { ...program, ...hooks, bundled, workers }),
  });
}

/** Runs on this event loop, or split among workers that have one each. */
async function run(
  settings: RunSettings,
  { workers, workerModule, terminal, ...hooks }: RunHooks & Program & { workers: number },
): Promise<Report> {
  if (workers === 1) return await runBench(settings, hooks);
  return await runOnWorkers(await prepareSplit(settings, hooks), {
    ...hooks,
    workers,
    module: workerModule,
    onLost: (message) => terminal.printWarning(escapeTerminal(message)),
  });
}
