import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  BUNDLED_HEAVY_TOOLS,
  describeHeavyTools,
  grantHeavyTools,
  type HeavyTools,
} from "../../lib/run/heavy_tools.ts";
import { plannedHeavyCalls, planScenarios } from "../../lib/run/plan.ts";
import { headOfLine } from "../../scenarios/head_of_line.ts";
import { heavyTools } from "../../scenarios/heavy_tools.ts";
import { NO_OVERRIDES } from "../support/run_scenarios.ts";

type Settings = Parameters<typeof grantHeavyTools>[0];

const DEFAULTS: Settings = {
  ...{ protocol: "exai", scenarios: null, profile: "standard", heavyTools: null, uniqueSeed: 1 },
};

const onBundled = (settings: Partial<Settings> = {}) =>
  grantHeavyTools({ ...DEFAULTS, ...settings }, { embedded: true });
const onExternal = (settings: Partial<Settings>) =>
  grantHeavyTools({ ...DEFAULTS, ...settings }, { embedded: false });
const SPEC = { tool: "x", argsJson: "{}", timeoutMs: 1000, weight: 1, repetitions: 1 };

function reasonOf(tools: HeavyTools): string {
  assert(tools.status === "refused");
  return tools.reason;
}

function granted(tools: HeavyTools) {
  assert(tools.status === "granted");
  return tools.tools;
}

Deno.test("the bundled server's heavy tools need neither a file nor a name", () => {
  const names = (tools: HeavyTools) => granted(tools).map(({ tool }) => tool);
  assertEquals(names(onBundled()), ["chat", "analyze", "debug"]);
  assertEquals(names(onBundled({ heavyTools: [SPEC] })), ["x"]);
});

Deno.test("an external server's heavy tools are called only if both file and scenario are named", () => {
  const scenarios = ["heavy-tools"];
  for (const settings of [{}, { scenarios }, { profile: "phase3" }]) {
    assertStringIncludes(reasonOf(onExternal(settings)), "--heavy-tools FILE");
  }
  const heavyTools = [SPEC];
  assertStringIncludes(
    reasonOf(onExternal({ heavyTools })),
    "--scenarios, or with --profile phase3",
  );
  for (const protocol of ["exai", "mcp"] as const) {
    assertEquals(granted(onExternal({ protocol, scenarios, heavyTools })).length, 1);
  }
  assertEquals(granted(onExternal({ profile: "phase3", heavyTools })).length, 1);
  const echo = onExternal({ protocol: "echo", scenarios, heavyTools });
  assertStringIncludes(reasonOf(echo), "echo server has no tools");
});

Deno.test("{unique} differs between calls and seeds, and repeats with the seed", () => {
  const texts = (uniqueSeed: number) => {
    const [chat] = granted(onBundled({ uniqueSeed }));
    return Array.from({ length: 50 }, () => chat!.message().argsJson);
  };
  assertEquals(texts(1), texts(1));
  assertEquals(new Set([...texts(1), ...texts(2), ...texts(4_294_967_295)]).size, 150);
  for (const text of texts(7)) assertMatch(JSON.parse(text).prompt, /[0-9a-f]{8}-\d+/);
});

Deno.test("the planned calls follow the profile, and are none if no tool is granted", () => {
  const planned = planScenarios([heavyTools, headOfLine], {
    scenarios: null,
    profile: "phase3",
    overrides: NO_OVERRIDES,
  });
  // Per epoch: 2 + 1 + 1 alone, a mix of 5 for 1 client and for 5 clients; and 3 for head-of-line.
  const announced = (heavyTools: HeavyTools) =>
    plannedHeavyCalls(planned, { heavyTools, epochs: 5 });
  assertEquals(announced(onBundled()), [
    { scenario: "heavy-tools", calls: 5 * (4 + 6 * 5) },
    { scenario: "head-of-line", calls: 15 },
  ]);
  assertEquals(announced({ status: "refused", reason: "no" }), []);
});

Deno.test("different tools, arguments, timeouts, weights and repetitions give different parameters", () => {
  const describe = (change: object) =>
    describeHeavyTools(onBundled({ heavyTools: [{ ...SPEC, ...change }] }));
  const changes = [
    {},
    { tool: "y" },
    { argsJson: '{"a":1}' },
    { timeoutMs: 2000 },
    { weight: 2 },
    { repetitions: 2 },
  ];
  assertEquals(new Set(changes.map(describe)).size, changes.length);
  assertEquals(describe({}), describe({}));
  assert(BUNDLED_HEAVY_TOOLS.every(({ argsJson }) => argsJson.includes("{unique}")));
});
