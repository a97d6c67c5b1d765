/** `long` if BENCH_LONG=1 is set and can be read, otherwise `short`. */
export function repeats<T = number>(short: T, long: T): T {
  const variable = "BENCH_LONG";
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" && Deno.env.get(variable) === "1" ? long : short;
}
