/** Groups of jobs. */
import type { Command } from "commander";
import type { Follower } from "../../protocol/chain-input.js";
import type { GroupView } from "../../protocol/group-api.js";
import { groupEndpoints } from "../../protocol/group-api.js";
import { limits } from "../../protocol/limits.js";
import { checkGroupId } from "../../protocol/names.js";
import { parseWith } from "../../protocol/parse.js";
import { addFlags, type Flag, namingFlags, readFlags } from "../flags.js";
import { wholeNumber } from "../global-options.js";
import type { CliContext } from "../runtime.js";
import { Session } from "../session.js";

const groupFlags: readonly Flag[] = [
  {
    flags: "--on-done <job>",
    field: "onDone",
    kind: "json",
    text: "a job as JSON, or @FILE, that is queued when the runs of all members are over",
  },
  { flags: "--id <id>", field: "id", kind: "text", text: "own id (default: a new one)" },
];
const otherNames = { members: "MEMBERS" };

export function addGroup(program: Command, context: CliContext): void {
  const group = program.command("group").description("jobs upon which, when all are over, another follows");
  const create = group
    .command("create <members>")
    .description("make one; its members are enqueued with --group ID/0 and so on");
  addFlags(create, groupFlags).action(
    async (members: string, options: Record<string, unknown>, command: Command) => {
      const session = new Session(context, command);
      const request = {
        ...((await readFlags(groupFlags, options, context.readText)) as { id?: string; onDone: Follower }),
        members: wholeNumber("MEMBERS", members, 1, limits.groupMembers),
      };
      const view = await namingFlags(groupFlags, otherNames, () => {
        parseWith(groupEndpoints["group.create"].request, request, "group");
        return session.with(({ client }) => client.groups.create(request));
      });
      session.output.show(view, () => session.output.line(`${view.id} made, ${view.members} members`));
    },
  );
  group
    .command("get <id>")
    .description("show how many of its members are over, and how many of them failed")
    .action(async (id: string, _options: unknown, command: Command) => {
      const session = new Session(context, command);
      checkGroupId(id, "ID");
      const view = await session.with(({ client }) => client.groups.get(id));
      session.output.show(view, () => showGroup(session, view));
    });
}

function showGroup({ output }: Session, view: GroupView): void {
  output.table(
    ["FIELD", "VALUE"],
    [
      ["id", view.id],
      ["state", view.state],
      ["members", String(view.members)],
      ["done", String(view.done)],
      ["failed", String(view.failed)],
      ["created", view.createdAt],
      ["completed", view.completedAt ?? "-"],
    ],
  );
}
