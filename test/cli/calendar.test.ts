import { describe, expect, it } from "vitest";
import { fakeCli } from "./context.js";

const view = {
  name: "office",
  revision: 7,
  calendar: { timeZone: "Europe/Berlin", businessDays: ["mon", "fri"], holidays: ["12-25"], hours: {} },
};

describe("calendar put", () => {
  it("sends what flags and file describe", async () => {
    const { argv, server } = fakeCli({ files: { "c.json": '{"note":"from file","timeZone":"UTC"}' } });
    server.answers.push(view);
    const args = ["calendar", "put", "office", "--file", "c.json", "--time-zone", "Europe/Berlin"];
    const flags = ["--business-days", "mon,fri", "--holiday", "12-25", "--hours", '{"mon":["09:00-17:00"]}'];
    expect(await argv(...args, ...flags, "--if-revision", "3")).toMatchObject({ stdout: "office stored\n" });
    expect(server.calls).toEqual([
      {
        endpoint: "calendar.put",
        request: {
          name: "office",
          calendar: {
            note: "from file",
            timeZone: "Europe/Berlin",
            businessDays: ["mon", "fri"],
            holidays: ["12-25"],
            hours: { mon: ["09:00-17:00"] },
          },
          ifRevision: 3,
        },
      },
    ]);
  });

  it.each([
    [["a.b"], /NAME: expected 1 to 128 characters/],
    [["x", "--holiday", "soon"], /--holiday: expected a date/],
    [["x", "--business-days", "mon,someday"], /--business-days: expected one of/],
    [["x", "--time-zone", "Berlin"], /--time-zone: expected an IANA time zone/],
    [["x", "--hours", '{"mon":["9-5"]}'], /--hours mon.*: expected a time of day/],
  ])("%j is refused in the words of the flags, before anything is connected", async (args, message) => {
    const { argv, seen } = fakeCli();
    const result = await argv("calendar", "put", ...args);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(message);
    expect(seen.connects).toEqual([]);
  });
});

describe("calendar get, list, delete", () => {
  it("show it for people and for programs", async () => {
    const { argv, server } = fakeCli();
    server.answers.push(view, { calendars: [view] }, { calendars: [view] }, { name: "office" });
    expect((await argv("calendar", "get", "office")).stdout).toMatch(/businessDays +\["mon","fri"\]/);
    expect((await argv("calendar", "list")).stdout).toMatch(/office +Europe\/Berlin +mon,fri +1/);
    expect(JSON.parse((await argv("calendar", "list", "--json")).stdout)).toEqual([view]);
    expect((await argv("calendar", "delete", "office")).stdout).toBe("office deleted\n");
  });
});
