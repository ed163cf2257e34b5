/** The API: reads a request by its schema, hands it to its handler. */
import { invalid, PunctualError } from "../core/errors.js";
import { type ApiParsed, type ApiResponse, type Endpoint, endpoints } from "../protocol/api.js";
import { parseJson, parseWith } from "../protocol/parse.js";
import { AlertService, type AlertServicePorts } from "./alert-service.js";
import { BackfillService, type BackfillServicePorts } from "./backfill-service.js";
import { CalendarService, type CalendarServicePorts } from "./calendar-service.js";
import { DeadService, type DeadServicePorts } from "./dead-service.js";
import type { Definitions } from "./definitions.js";
import { ExplainService, type ExplainServicePorts } from "./explain-service.js";
import { GroupService, type GroupServicePorts } from "./group-service.js";
import { HeartbeatService, type HeartbeatServicePorts } from "./heartbeat-service.js";
import { JobService, type JobServicePorts } from "./job-service.js";
import { QueueService, type QueueServicePorts } from "./queue-service.js";
import { type RunActionPorts, RunActions } from "./run-actions.js";
import { RunService, type RunServicePorts } from "./run-service.js";
import { ScheduleService, type ScheduleServicePorts } from "./schedule-service.js";
import type { SlotAuditorPorts } from "./slot-auditor.js";
import { VerifyService } from "./verify-service.js";

export interface ApiPorts
  extends ScheduleServicePorts,
    CalendarServicePorts,
    BackfillServicePorts,
    ExplainServicePorts,
    DeadServicePorts,
    QueueServicePorts,
    SlotAuditorPorts,
    RunServicePorts,
    RunActionPorts,
    AlertServicePorts,
    GroupServicePorts,
    HeartbeatServicePorts,
    JobServicePorts {}

type Handlers = { [E in Endpoint]: (request: ApiParsed<E>) => Promise<ApiResponse<E>> };

export class ApiService {
  readonly #handlers: Handlers;

  constructor(ports: ApiPorts, definitions: Definitions) {
    const schedules = new ScheduleService(ports, definitions);
    const backfills = new BackfillService(ports, definitions);
    const calendars = new CalendarService(ports, definitions);
    const queues = new QueueService(ports, definitions);
    const runs = new RunService(ports, definitions);
    const dead = new DeadService(ports);
    const actions = new RunActions(ports, {
      known: (id) => runs.known(id),
      trigger: (request) => schedules.trigger(request),
      retryLetter: (run, author) => dead.retryRun(run.id, run.queue ?? undefined, author),
    });
    const explanations = new ExplainService(ports, definitions);
    const jobs = new JobService(ports);
    const heartbeats = new HeartbeatService(ports);
    const groups = new GroupService(ports);
    const alerts = new AlertService(ports);
    const verification = new VerifyService(ports, definitions);
    this.#handlers = {
      "schedule.put": (request) => schedules.put(request),
      "schedule.patch": (request) => schedules.patch(request),
      "schedule.get": (request) => schedules.get(request),
      "schedule.list": (request) => schedules.list(request),
      "schedule.delete": (request) => schedules.delete(request),
      "schedule.pause": (request) => schedules.pause(request),
      "schedule.resume": (request) => schedules.resume(request),
      "schedule.bulk": (request) => schedules.bulk(request),
      "schedule.trigger": (request) => schedules.trigger(request),
      "schedule.explain": (request) => explanations.explain(request),
      "schedule.history": (request) => schedules.history(request),
      "schedule.preview": (request) => schedules.preview(request),
      "backfill.create": (request) => backfills.create(request),
      "backfill.list": (request) => backfills.list(request),
      "backfill.get": (request) => backfills.get(request),
      "backfill.cancel": (request) => backfills.cancel(request),
      "calendar.put": (request) => calendars.put(request),
      "calendar.get": (request) => calendars.get(request),
      "calendar.list": () => calendars.list(),
      "calendar.delete": (request) => calendars.delete(request),
      "queue.put": (request) => queues.put(request),
      "queue.patch": (request) => queues.patch(request),
      "queue.get": (request) => queues.get(request),
      "queue.list": (request) => queues.list(request),
      "queue.pause": (request) => queues.pause(request),
      "queue.resume": (request) => queues.resume(request),
      "queue.delete": (request) => queues.delete(request),
      "run.list": (request) => runs.list(request),
      "run.get": (request) => runs.get(request),
      "run.watch": (request) => runs.watch(request),
      "run.logs": (request) => runs.logs(request),
      "run.cancel": (request) => actions.cancel(request),
      "run.retry": (request) => actions.retry(request),
      "verify.range": (request) => verification.range(request),
      "job.list": (request) => jobs.list(request),
      "job.enqueue": (request) => jobs.enqueue(request),
      "job.cancel": (request) => jobs.cancel(request),
      "job.reschedule": (request) => jobs.reschedule(request),
      "alert.put": (request) => alerts.put(request),
      "alert.get": (request) => alerts.get(request),
      "alert.list": () => alerts.list(),
      "alert.delete": (request) => alerts.delete(request),
      "alert.active": () => alerts.active(),
      "group.create": (request) => groups.create(request),
      "group.get": (request) => groups.get(request),
      "heartbeat.put": (request) => heartbeats.put(request),
      "heartbeat.get": (request) => heartbeats.get(request),
      "heartbeat.list": () => heartbeats.list(),
      "heartbeat.delete": (request) => heartbeats.delete(request),
      "heartbeat.beat": (request) => heartbeats.beat(request),
      "dead.list": (request) => dead.list(request),
      "dead.get": (request) => dead.get(request),
      "dead.retry": (request) => dead.retry(request),
      "dead.discard": (request) => dead.discard(request),
      "dead.retryMany": (request) => dead.retryMany(request),
      "dead.discardMany": (request) => dead.discardMany(request),
    };
  }

  /** Answers a request or throws a `PunctualError`. */
  async handle(endpoint: string, body: string): Promise<unknown> {
    if (!Object.hasOwn(endpoints, endpoint)) {
      throw new PunctualError("not_found", `${endpoint}: expected one of ${nearTo(endpoint).join(", ")}`);
    }
    const name = endpoint as Endpoint;
    const input = readRequest(endpoint, body);
    const request = parseWith(endpoints[name].request, input, endpoint);
    return await (this.#handlers[name] as (request: unknown) => Promise<unknown>)(request);
  }
}

/** Nothing at all is a request without fields, as tools send it, but no job. */
function readRequest(endpoint: string, body: string): unknown {
  if (body !== "") return parseJson(body, endpoint);
  if (endpoint === "job.enqueue") throw invalid(endpoint, "expected a job as a JSON object, got nothing");
  return {};
}

/** The endpoints of the same entity; where there is no such entity, all of these. */
function nearTo(endpoint: string): string[] {
  const names = Object.keys(endpoints);
  const same = names.filter((name) => name.split(".")[0] === endpoint.split(".")[0]);
  return same.length > 0 ? same : [...new Set(names.map((name) => `${name.split(".")[0]}.…`))];
}
