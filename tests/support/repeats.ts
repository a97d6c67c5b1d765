/** How often a simulation is repeated: `long` times with BENCH_LONG=1, where that may be read, else `short` times. */
export function repeats(short: number, long: number): number {
  const variable = "BENCH_LONG";
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" && Deno.env.get(variable) === "1" ? long : short;
}
