import { z } from "zod";

/** A text that a check throws at, or not. */
export const checked = (check: (value: unknown, field: string) => string) =>
  z.string().superRefine((value, context) => {
    try {
      check(value, "");
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
    }
  });
