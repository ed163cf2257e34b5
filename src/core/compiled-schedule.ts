import type { FireTimes, Schedule } from "./schedule.js";

/** A schedule with its compiled fire times. */
export interface CompiledSchedule {
  schedule: Schedule;
  times: FireTimes;
}
