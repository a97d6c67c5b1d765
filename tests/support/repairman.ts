/**
 * The machine repairman model: each user thinks, then makes a call and waits for its reply from a
 * server that works on one call at a time (L. Kleinrock, Queueing Systems, volume 1, 1975, section
 * 3.8; the arrival theorem: S. Lavenberg and M. Reiser, Stationary State Probabilities at Arrival
 * Instants, 1980).
 *
 * @module
 */

/** Times in any unit, but all in the same. */
export interface Repairman {
  users: number;
  service: number;
  think: number;
}

/**
 * Probabilities that 0 to `users` users are at the server, with exponential times: p(k) is
 * proportional to users! / (users - k)! (service / think)^k.
 */
export function atServer({ users, service, think }: Repairman): number[] {
  const weights = [1];
  for (let k = 1; k <= users; k++) {
    weights.push(weights[k - 1]! * (users - k + 1) * service / think);
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The mean response time with exponential times: users / throughput - think. */
export function meanResponse(model: Repairman): number {
  const throughput = (1 - atServer(model)[0]!) / model.service;
  return model.users / throughput - model.think;
}

/**
 * Probability that a response takes longer than `time`, with exponential times. A call finds the
 * server as it would be with one user fewer (arrival theorem), so its response is a sum of k + 1
 * service times (Erlang).
 */
export function responseOver(model: Repairman, time: number): number {
  let [term, tail, sum] = [Math.exp(-time / model.service), 0, 0];
  for (const [k, share] of atServer({ ...model, users: model.users - 1 }).entries()) {
    if (k > 0) term *= time / model.service / k;
    tail += term;
    sum += share * tail;
  }
  return sum;
}

/** The p99 of the response, with exponential times. */
export function responseP99(model: Repairman): number {
  let [low, high] = [0, 100 * model.users * model.service];
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (responseOver(model, middle) > 0.01) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The response with constant times: either nobody waits, or the server is never idle and each user
 * returns once every users x service (the bound of any closed system; P. Denning and J. Buzen, The
 * Operational Analysis of Queueing Network Models, 1978).
 */
export function constantResponse({ users, service, think }: Repairman): number {
  return Math.max(service, users * service - think);
}

/** The maximum number of users whose response stays within the objective. */
export function mostUsers(
  model: Omit<Repairman, "users">,
  objective: number,
  response: (model: Repairman) => number,
): number {
  let users = 0;
  while (response({ ...model, users: users + 1 }) <= objective) users++;
  return users;
}
