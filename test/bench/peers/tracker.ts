/**
 * What a team writes by itself: a table of jobs and a row that is locked while a worker looks for the next one. Rows are
 * inserted 1,000 at a time.
 */
import pg from "pg";
import type { Arm, Job } from "../jobs/arm.js";
import { chunks, inLanes, pause, serve } from "../jobs/serve.js";

const [connectionString = ""] = process.argv.slice(2);
const LOOK_MS = 50;
const pool = new pg.Pool({ connectionString, max: 8 });

const TABLES = `
  create table if not exists tracker (id bigserial primary key, queue text, state text default 'queued', data jsonb);
  create index if not exists tracker_queued on tracker (queue, id) where state = 'queued';
  create table if not exists tracker_lock (queue text primary key);`;
const NEXT = `
  update tracker set state = 'running'
  where id = (select id from tracker where queue = $1 and state = 'queued' order by id limit 1)
  returning id, data`;

/** The next job, if there is one, found while nobody else looks. */
async function claim(client: pg.PoolClient, queue: string): Promise<{ id: string; data: Job } | undefined> {
  await client.query("begin");
  await client.query("select 1 from tracker_lock where queue = $1 for update", [queue]);
  const { rows } = await client.query({ name: "next", text: NEXT, values: [queue] });
  await client.query("commit");
  return rows[0];
}

const arm: Arm = {
  open: async (queue) => {
    await pool.query(TABLES);
    await pool.query("insert into tracker_lock values ($1) on conflict do nothing", [queue]);
  },
  enqueue: (queue, jobs) =>
    inLanes(chunks(jobs, 1_000), 4, (list) =>
      pool.query("insert into tracker (queue, data) select $1, value from jsonb_array_elements($2::jsonb)", [
        queue,
        JSON.stringify(list),
      ]),
    ),
  work: async (queue, { consumers, onJob }) => {
    const own = new pg.Pool({ connectionString, max: consumers });
    const clients = await Promise.all(Array.from({ length: consumers }, () => own.connect()));
    let stopped = false;
    const loop = async (client: pg.PoolClient) => {
      while (!stopped) {
        const job = await claim(client, queue);
        if (job === undefined) await pause(LOOK_MS);
        else {
          onJob(job.data);
          await client.query("update tracker set state = 'done' where id = $1", [job.id]);
        }
      }
      client.release();
    };
    const running = clients.map(loop);
    return async () => {
      stopped = true;
      await Promise.all(running);
      await own.end();
    };
  },
  pending: async (queue) => {
    const { rows } = await pool.query(
      "select count(*)::int as count from tracker where queue = $1 and state <> 'done'",
      [queue],
    );
    return rows[0].count;
  },
  close: () => pool.end(),
};
serve(arm);
