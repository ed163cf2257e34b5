import { z } from "zod";
import { duration } from "../protocol/time-input.js";

/** How an orchestrator behaves. The defaults suit nearly everyone. */
export const orchestratorOptions = z
  .strictObject({
    leaseDuration: duration
      .default(3_000)
      .describe(
        "A holder that is silent for this long loses its shards. Renewed at a third of it. Default 3s.",
      ),
    leaseMargin: duration.default(500).describe("The holder itself stops this much earlier. Default 500ms."),
    ahead: duration
      .default(250)
      .describe(
        "Slots are committed up to this long before they are due, so that only the publish is left; a crowd of thousands up to three seconds. Default 250ms.",
      ),
    probe: duration.default(150).describe("How often the other orchestrators are probed. Default 150ms."),
    alertEvery: duration
      .refine((ms) => ms >= 100, { error: "expected at least 100ms" })
      .default(5_000)
      .describe("How often alert rules are looked at, by the one that does. Default 5s."),
    id: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("Name of this orchestrator, shown to people. Default: made from the host's name."),
  })
  .refine((options) => options.leaseMargin * 2 <= options.leaseDuration, {
    error: "expected at most half of leaseDuration",
    path: ["leaseMargin"],
  });

export type OrchestratorOptions = z.input<typeof orchestratorOptions>;
export type OrchestratorSettings = z.output<typeof orchestratorOptions>;
