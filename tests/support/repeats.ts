/** How often a simulation is repeated, or with what: `long` with BENCH_LONG=1, where that may be read, else `short`. */
export function repeats<T = number>(short: T, long: T): T {
  const variable = "BENCH_LONG";
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" && Deno.env.get(variable) === "1" ? long : short;
}
