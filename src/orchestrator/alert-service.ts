/** What people do with alert rules, and what is wrong now. */
import type { OpenBreach } from "../core/alert.js";
import type { AlertRule } from "../core/alert-rule.js";
import type { AlertStore } from "../core/alert-store.js";
import type { Clock } from "../core/ports.js";
import type { AlertView, BreachView } from "../protocol/alert-api.js";
import { alertInputOf, decodeRule, encodeRule, ruleOf } from "../protocol/alert-input.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import { limits } from "../protocol/limits.js";
import { decodeBreach } from "../protocol/stored-alert.js";
import { changeRecord, getRecord, readableRecords, removeRecord } from "./alert-records.js";

export interface AlertServicePorts {
  alertStore: AlertStore;
  clock: Clock;
}

const RULES = { kind: "rule", what: "alert", most: limits.alertRules, decode: decodeRule } as const;

export class AlertService {
  readonly #ports: AlertServicePorts;

  constructor(ports: AlertServicePorts) {
    this.#ports = ports;
  }

  /** As a whole: what is not said is as by default. */
  async put({ name, rule, ifRevision }: ApiParsed<"alert.put">): Promise<AlertView> {
    const now = this.#ports.clock.now();
    return viewOf(
      await changeRecord(this.#ports.alertStore, RULES, { name, ifRevision }, (existing) => {
        const value = ruleOf(name, rule, existing?.madeAt ?? now);
        return { value, text: encodeRule(value) };
      }),
    );
  }

  async get({ name }: ApiParsed<"alert.get">): Promise<AlertView> {
    return viewOf(await getRecord(this.#ports.alertStore, RULES, name));
  }

  async list(): Promise<ApiResponse<"alert.list">> {
    return { alerts: (await readableRecords(this.#ports.alertStore, RULES)).map(viewOf) };
  }

  async delete({ name, ifRevision }: ApiParsed<"alert.delete">): Promise<{ name: string }> {
    await removeRecord(this.#ports.alertStore, RULES, { name, ifRevision });
    return { name };
  }

  async active(): Promise<ApiResponse<"alert.active">> {
    const records = await this.#ports.alertStore.list("state");
    const open = records.map(({ text }) => decodeBreach(text)).filter((breach) => breach !== null);
    const raised = open.filter(({ state }) => state === "raised");
    return { breaches: raised.sort((a, b) => a.since - b.since).map(breachView) };
  }
}

function viewOf({ value, revision }: { value: AlertRule; revision: number }): AlertView {
  const { name, madeAt } = value;
  return { name, revision, madeAt: iso(madeAt), rule: alertInputOf(value) as Record<string, unknown> };
}

function breachView({
  target: _,
  state: __,
  raisedAt: ___,
  isTold: ____,
  unsent: _____,
  since,
  at,
  ...breach
}: OpenBreach): BreachView {
  return { ...breach, data: { ...breach.data }, since: iso(since), at: iso(at) };
}

const iso = (at: number): string => new Date(at).toISOString();
