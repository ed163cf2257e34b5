/** The answer to a request for a preview. */
import type { FireTimes, Instant, ScheduleSpec } from "../core/schedule.js";
import { cronLinesOf, previewFires, zoneToShow } from "../core/time/preview.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import { tzDataVersion } from "../runtime/tz-data.js";

export function previewed(
  of: { spec: ScheduleSpec; id: string; times: FireTimes },
  { from, count, timeZone }: Pick<ApiParsed<"schedule.preview">, "from" | "count" | "timeZone">,
  now: Instant,
): ApiResponse<"schedule.preview"> {
  const lines = cronLinesOf(of.spec, of.id);
  const zone = zoneToShow(timeZone, lines);
  const fires = previewFires({ times: of.times, lines, zone }, from ?? now, count);
  return {
    fires: fires.map(({ at, local, note }) => ({ at: new Date(at).toISOString(), local, note })),
    timeZone: zone.name,
    tzData: tzDataVersion,
  };
}
