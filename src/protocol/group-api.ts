/** Groups of jobs in the API. All times are RFC 3339, in UTC. */
import { z } from "zod";
import { follower } from "./chain-input.js";
import { checked } from "./checked-input.js";
import { limits } from "./limits.js";
import { checkGroupId } from "./names.js";

export const groupId = checked(checkGroupId);

/** A group as the API shows it. */
export const groupView = z.object({
  id: z.string(),
  members: z.int(),
  /** Members whose runs are over, and of those, how many did not succeed. */
  done: z.int(),
  failed: z.int(),
  /** `done`: all members are over, and what follows is queued. */
  state: z.enum(["open", "done"]),
  createdAt: z.string(),
  completedAt: z.string().nullable(),
});
export type GroupView = z.output<typeof groupView>;

/** A group with so many members, and the job that is queued when all of them are over. */
export const groupFields = { id: groupId.optional(), onDone: follower };

export const groupEndpoints = {
  "group.create": {
    request: z.strictObject({ ...groupFields, members: z.int().min(1).max(limits.groupMembers) }),
    response: groupView,
  },
  "group.get": { request: z.strictObject({ id: groupId }), response: groupView },
} as const;
