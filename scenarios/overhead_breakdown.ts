import { judgeRouting, judgeSum } from "../lib/run/layers/judge.ts";
import { type Layer, layerMetric } from "../lib/run/layers/layer.ts";
import { type LayerDelays, type OpenedLayers, openLayers } from "../lib/run/layers/open_layers.ts";
import { recordReply } from "../lib/run/layers/record_reply.ts";
import { type Slice, sliceOf } from "../lib/run/layers/slice.ts";
import type { TimedReply } from "../lib/run/layers/target_layers.ts";
import { forEachRound } from "../lib/run/rounds.ts";
import {
  type Parameters,
  type RoundLength,
  type Scenario,
  type ScenarioContext,
  TIMES,
} from "../lib/run/scenario.ts";
import { warmUp } from "../lib/run/warm_up.ts";
import type { DistributionRecorder } from "../lib/stats/summary.ts";

/** The length is that of one layer in one round. */
interface OverheadBreakdownParameters extends Parameters, RoundLength {
  /** Turns that each layer has in a round, if a call is no longer than a turn. */
  slices: number;
  warmupMs: number;
  payloadBytes: number;
}

type Context = ScenarioContext<OverheadBreakdownParameters>;

const WHOLE = layerMetric("tool");

/** The scenario, with slow layers where a test wants to see them. */
export function createOverheadBreakdown(
  delays: LayerDelays = {},
): Scenario<OverheadBreakdownParameters> {
  return {
    name: "overhead-breakdown",
    question: "Where does the time of a call go, layer by layer?",
    metrics: {
      "layer.dispatch": TIMES,
      "layer.codec": TIMES,
      "layer.tcp": TIMES,
      "layer.websocket": TIMES,
      "layer.routing": TIMES,
      "layer.tool": TIMES,
      serverReported: TIMES,
      networkAndQueue: TIMES,
    },
    profiles: ["standard", "thorough"],
    defaults: {
      quick: {
        rounds: 5,
        slices: 3,
        warmupMs: 100,
        messages: null,
        durationMs: 24,
        payloadBytes: 0,
      },
      standard: {
        rounds: 10,
        slices: 4,
        warmupMs: 300,
        messages: null,
        durationMs: 32,
        payloadBytes: 0,
      },
      thorough: {
        rounds: 20,
        slices: 8,
        warmupMs: 1000,
        messages: null,
        durationMs: 200,
        payloadBytes: 0,
      },
      phase2: {
        rounds: 5,
        slices: 4,
        warmupMs: 0,
        messages: 100,
        durationMs: null,
        payloadBytes: 0,
      },
    },
    run: (context) => run(context, delays),
  };
}

export const overheadBreakdown: Scenario<OverheadBreakdownParameters> = createOverheadBreakdown();

async function run(context: Context, delays: LayerDelays) {
  const { target: { options: { protocol } }, parameters: { warmupMs } } = context;
  if (protocol.routingProbes.length === 0) {
    const reason =
      `the ${protocol.name} protocol has no tools, so that there are no layers to tell`;
    return { status: "skipped", reason } as const;
  }
  await using stack = new AsyncDisposableStack();
  const connection = stack.use(await context.target.connect(context.warmupLedger));
  await warmUp(context, { connections: [connection], durationMs: warmupMs });
  const recorded = await recordReply(context, connection);
  const opened = await openLayers(context, { ...recorded, connection, delays, stack });
  await measure(context, { ...opened, callNs: recorded.callNs });
  judgeRouting(context, opened.routing);
  if (protocol.name === "mcp" && recorded.message.tool === protocol.defaultTool) {
    const reason = "the call is the protocol's own ping, so that layer.tool is routing once more";
    context.notMeasured("a tool", `${reason}: name one with --tool`);
  }
  return { status: "measured" } as const;
}

interface Measured extends Pick<OpenedLayers, "layers" | "replies"> {
  /** How long one call took. */
  callNs: number;
}

async function measure(context: Context, { layers, replies, callNs }: Measured): Promise<void> {
  const { parameters, clock, signal } = context;
  const recorders = startMetrics(context, layers);
  const times = {
    serverReported: context.distribution("serverReported"),
    networkAndQueue: context.distribution("networkAndQueue"),
  };
  const slices = callNs > sliceNs(parameters) ? 1 : parameters.slices;
  const slice = (index: number): Slice => ({
    ...sliceOf(parameters, { index, slices }),
    clock,
    signal,
  });
  await warmLayers(context, layers);
  await context.watched(() =>
    forEachRound(context, {
      recorders: [...recorders.values(), ...Object.values(times)],
      round: async (round) => {
        for (let index = 0; index < slices; index++) {
          for (const layer of inTurn(layers, round + index)) {
            const record = (ns: number) => recorders.get(layer)!.record(ns);
            const goesOn = await layer.sample(slice(index), record);
            // Behind the slice, as reading them takes time.
            recordTimes(context, times, replies.splice(0));
            if (!goesOn) return "stop";
          }
        }
      },
    })
  );
  judgeSum(context, layers, recorders);
  if (times.networkAndQueue.clamped > 0) {
    context.invalidate(
      `server's times: ${times.networkAndQueue.clamped} of ${times.networkAndQueue.count} replies ` +
        "report more time than the client saw pass",
    );
  }
}

/** What the server says of its own time, and the rest of what the client saw. */
function recordTimes(
  { target }: Context,
  times: { serverReported: DistributionRecorder; networkAndQueue: DistributionRecorder },
  replies: readonly TimedReply[],
): void {
  for (const { seenNs, text } of replies) {
    const reportedNs = target.options.protocol.readServerNs(text);
    if (reportedNs === null) continue;
    times.serverReported.record(reportedNs);
    times.networkAndQueue.record(seenNs - reportedNs);
  }
}

/** The length of a slice in nanoseconds, where it has one. */
function sliceNs({ durationMs, slices }: OverheadBreakdownParameters): number {
  return durationMs === null ? Infinity : durationMs * 1e6 / slices;
}

/** Each layer begins in turn, and every other turn goes the other way, so that what drifts favours none. */
function inTurn(layers: readonly Layer[], turn: number): Layer[] {
  const first = turn % layers.length;
  const order = [...layers.slice(first), ...layers.slice(0, first)];
  return turn % 2 === 0 ? order : order.reverse();
}

/** A metric for each layer, above the one before it. */
function startMetrics(
  context: Context,
  layers: readonly Layer[],
): Map<Layer, DistributionRecorder> {
  return new Map(layers.map((layer, index) => {
    const above = index === 0 ? null : layerMetric(layers[index - 1]!.name);
    const place = { above, whole: WHOLE, measuredOn: layer.measuredOn };
    return [layer, context.distribution(layerMetric(layer.name), { layer: place })];
  }));
}

/** The call has been warmed up; now what is below it. */
async function warmLayers(context: Context, layers: readonly Layer[]): Promise<void> {
  const { clock, signal, parameters: { warmupMs } } = context;
  if (warmupMs === 0) return;
  const below = layers.filter(({ name }) => name !== "tool");
  for (const layer of below) {
    const durationMs = warmupMs / below.length;
    await layer.sample({ messages: null, durationMs, clock, signal }, () => {});
  }
}
