/** Asking the API: every request is checked before it is sent, every answer when it has come. */
import type { z } from "zod";
import { invalid } from "../core/errors.js";
import type { ApiCaller } from "../core/ports.js";
import type { Instant } from "../core/schedule.js";
import { type ApiRequest, type ApiResponse, type Endpoint, endpoints } from "../protocol/api.js";
import { parseWith } from "../protocol/parse.js";

/** Sends the request as it was given: what the schema makes of it is for the other side to make again. */
export async function ask<E extends Endpoint>(
  api: ApiCaller,
  endpoint: E,
  request: ApiRequest<E>,
): Promise<ApiResponse<E>> {
  parseWith(endpoints[endpoint].request, request, endpoint);
  const response = await api.call(endpoint, request);
  const schema: z.ZodType = endpoints[endpoint].response;
  return parseWith(schema, response, `answer of ${endpoint}`) as ApiResponse<E>;
}

/** What is given of some options. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

export function isoOf(value: Date | Instant, field: string): string {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) throw invalid(field, `expected a date, got ${String(value)}`);
  return date.toISOString();
}
