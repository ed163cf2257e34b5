/** Objects as rows, `[value, …]`: where there may be thousands, the names of their fields are not repeated. */
import { z } from "zod";

/** @param shape the fields, in the order of a row */
export function rowOf<Shape extends Record<string, z.ZodType>>(shape: Shape) {
  type Fields = z.output<z.ZodObject<Shape>>;
  const names = Object.keys(shape);
  const fieldsOf = (row: readonly unknown[]): Fields => {
    const fields: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) fields[names[i] as string] = row[i];
    return fields as Fields;
  };
  return {
    schema: z.tuple(Object.values(shape) as [z.ZodType, ...z.ZodType[]]).transform(fieldsOf),
    encode: (fields: Fields): unknown[] => names.map((name) => fields[name as keyof Fields]),
  };
}
