/** Cron lines drawn from a grammar that is matched here, not parsed by the code under test. */
import fc from "fast-check";

/** One field: its text, and whether a value matches its plain items. */
export interface Drawn {
  text: string;
  matches(value: number): boolean;
}

export interface Line {
  second: Drawn;
  minute: Drawn;
  hour: Drawn;
  date: Drawn;
  month: Drawn;
  weekday: Drawn;
}

const DAY = 86_400_000;

export const textOf = (line: Line): string =>
  [line.second, line.minute, line.hour, line.date, line.month, line.weekday].map((f) => f.text).join(" ");

export const isDaily = (line: Line): boolean => /^\d+(,\d+)*$/.test(line.hour.text);

/** The seconds of this minute of the clock on the wall at which the line matches. */
export function matchingSeconds(line: Line, localMinute: number): number[] {
  const wall = new Date(localMinute);
  if (!line.minute.matches(wall.getUTCMinutes()) || !line.hour.matches(wall.getUTCHours())) return [];
  if (!line.month.matches(wall.getUTCMonth() + 1) || !matchesDay(line, wall)) return [];
  return Array.from({ length: 60 }, (_, second) => second).filter((second) => line.second.matches(second));
}

function matchesDay(line: Line, wall: Date): boolean {
  const free = (text: string) => text === "*" || text === "?";
  if (free(line.date.text)) return free(line.weekday.text) || matchesWeekday(line, wall);
  if (free(line.weekday.text)) return matchesDate(line, wall);
  return matchesDate(line, wall) || matchesWeekday(line, wall);
}

/** The days of the month of `wall`, one by one, by the calendar of `Date`. */
function daysOfMonth(wall: Date): Date[] {
  const first = Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), 1);
  const days = Array.from({ length: 31 }, (_, index) => new Date(first + index * DAY));
  return days.filter((day) => day.getUTCMonth() === wall.getUTCMonth());
}

function matchesDate(line: Line, wall: Date): boolean {
  const days = daysOfMonth(wall);
  const date = wall.getUTCDate();
  const [, back, nearestToLast] = /^L(?:-(\d+))?(W)?$/.exec(line.date.text) ?? [];
  const [, nearest] = /^(\d+)W$/.exec(line.date.text) ?? [];
  if (nearest !== undefined) return nearestWeekday(days, Number(nearest)) === date;
  if (!line.date.text.startsWith("L")) return line.date.matches(date);
  const target = days.length - Number(back ?? 0);
  return nearestToLast === undefined ? target === date : nearestWeekday(days, target) === date;
}

/** The day from Monday to Friday that is the fewest days away from a day that the month has. */
function nearestWeekday(days: Date[], date: number): number | undefined {
  if (date < 1 || date > days.length) return undefined;
  const away = (day: Date) => Math.abs(day.getUTCDate() - date);
  const weekdays = days.filter((day) => day.getUTCDay() >= 1 && day.getUTCDay() <= 5);
  return weekdays.sort((a, b) => away(a) - away(b))[0]!.getUTCDate();
}

function matchesWeekday(line: Line, wall: Date): boolean {
  const weekday = wall.getUTCDay();
  const [, day, kind, nth] = /^(\d)(L|#)(\d)?$/.exec(line.weekday.text) ?? [];
  if (day === undefined) return line.weekday.matches(weekday);
  const same = daysOfMonth(wall).filter((other) => other.getUTCDay() === Number(day) % 7);
  const wanted = kind === "L" ? same.at(-1) : same[Number(nth) - 1];
  return wanted?.getUTCDate() === wall.getUTCDate();
}

export const everyValue: Drawn = { text: "*", matches: () => true };

export const single = (value: number): Drawn => ({
  text: String(value),
  matches: (other) => other === value,
});

export function listArbitrary(min: number, max: number): fc.Arbitrary<Drawn> {
  return fc
    .uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 })
    .map((values) => ({ text: values.join(","), matches: (value) => values.includes(value) }));
}

export function fieldArbitrary(min: number, max: number): fc.Arbitrary<Drawn> {
  const range = fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min: 1, max: max - min + 1 }))
    .map(([a, b, step]): Drawn => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      return {
        text: step === 1 ? `${low}-${high}` : `${low}-${high}/${step}`,
        matches: (value) => value >= low && value <= high && (value - low) % step === 0,
      };
    });
  const steps = fc
    .integer({ min: 2, max: Math.max(2, (max - min) >> 1) })
    .map((step): Drawn => ({ text: `*/${step}`, matches: (value) => (value - min) % step === 0 }));
  return fc.oneof(listArbitrary(min, max), range, steps);
}

const never = () => false;

/** Days that only this grammar and Quartz know: `L-3`, `LW`, `L-2W`, `15W`. */
const quartzDay = fc.oneof(
  fc.integer({ min: 1, max: 27 }).map((n): Drawn => ({ text: `L-${n}`, matches: never })),
  fc.integer({ min: 1, max: 28 }).map((n): Drawn => ({ text: `${n}W`, matches: never })),
  fc.constantFrom("LW", "L-1W", "L-2W").map((text): Drawn => ({ text, matches: never })),
);
const lastDay = fc.constant<Drawn>({ text: "L", matches: never });
const specialWeekday = fc
  .tuple(fc.integer({ min: 0, max: 7 }), fc.constantFrom("L", "#1", "#2", "#3", "#4", "#5"))
  .map(([day, kind]): Drawn => ({ text: `${day}${kind}`, matches: never }));

/** Lines that often fire in the first hours of the day, where the clocks change. */
export function lineArbitrary({ quartz }: { quartz: boolean }): fc.Arbitrary<Line> {
  const mostly = (common: Drawn, rest: fc.Arbitrary<Drawn>) =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(common) }, { weight: 2, arbitrary: rest });
  const anything: Drawn = { text: "?", matches: () => true };
  const days = [fieldArbitrary(1, 28), lastDay, ...(quartz ? [quartzDay] : [])];
  const line = fc.record({
    second: mostly(single(0), fieldArbitrary(0, 59)),
    minute: fc.oneof(fieldArbitrary(0, 59), fc.constantFrom(single(0), single(30))),
    hour: fc.oneof(
      listArbitrary(0, 3),
      listArbitrary(0, 23),
      fieldArbitrary(0, 23),
      fc.constantFrom(everyValue, anything),
    ),
    date: mostly(everyValue, fc.oneof(...days)),
    month: mostly(everyValue, fieldArbitrary(1, 12)),
    weekday: mostly(everyValue, fc.oneof(fieldArbitrary(0, 6), fc.constant(anything), specialWeekday)),
  });
  return line.map((drawn) => Object.assign(drawn, { [fc.toStringMethod]: () => `"${textOf(drawn)}"` }));
}
