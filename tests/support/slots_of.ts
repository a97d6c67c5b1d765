import type { Schedule } from "../../lib/load/schedule.ts";

/** The times of all slots of a schedule, in nanoseconds from its start. */
export function slotsOf(schedule: Schedule): number[] {
  const slots: number[] = [];
  for (let slot = schedule.next(); slot !== null; slot = schedule.next()) slots.push(slot);
  return slots;
}
