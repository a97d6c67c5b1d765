import { addedPart } from "../../stats/layers.ts";
import type { DistributionRecorder } from "../../stats/summary.ts";
import type { ScenarioContext } from "../scenario.ts";
import { type Layer, layerMetric } from "./layer.ts";
import type { RoutingSession } from "./routing.ts";

/** Parts that sum to something further from the whole than this do not explain it. */
const SUM_TOLERANCE = 0.1;

/** Every probe must have been answered; where there is none, that layer was not measured. */
export function judgeRouting(context: ScenarioContext, routing: RoutingSession): void {
  const { asked, answered, failure } = routing.counts;
  if (routing.probe === null) {
    const tried = context.target.options.protocol.routingProbes.map(({ name }) => name).join(", ");
    return context.notMeasured(
      layerMetric("routing"),
      `the server answers nothing without a tool (tried: ${tried}); it is part of layer.tool`,
    );
  }
  context.check({
    name: "every probe answered without a tool",
    passed: answered === asked && failure === null,
    expected: `${asked} of ${asked}`,
    observed: `${answered} of ${asked}, by ${routing.probe}` +
      (failure === null ? "" : ` (${failure})`),
  });
}

/** The median of the call must be explained by the parts of its layers. */
export function judgeSum(
  context: ScenarioContext,
  layers: readonly Layer[],
  recorders: Map<Layer, DistributionRecorder>,
): void {
  const { seed } = context;
  const rounds = layers.map((layer) => recorders.get(layer)!.rounds);
  const whole = rounds[rounds.length - 1]!;
  const shares = layers.map(({ name }, index) => {
    const below = index === 0 ? null : rounds[index - 1]!;
    return addedPart({ own: rounds[index]!, below, whole }, { seed, name })?.share ?? null;
  });
  if (shares.some((share) => share === null)) return;
  const sum = shares.reduce((total: number, share) => total + share!, 0);
  if (Math.abs(sum - 1) > SUM_TOLERANCE) {
    context.invalidate(
      `layers: they sum to ${
        (sum * 100).toFixed(0)
      } % of the call's median, as the machine changed ` +
        "its pace between them: measure more rounds, or on a quieter machine",
    );
  }
}
