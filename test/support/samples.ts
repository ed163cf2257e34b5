/** A page of metrics, read as Prometheus reads it. */

/** By name and labels, as in `punctual_fires_total{trigger="schedule"}`. */
export function samplesOf(page: string): Map<string, number> {
  const samples = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    samples.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** The metric that a sample is of: buckets, sums and counts are of their histogram. */
export function metricOf(sample: string, names: ReadonlySet<string>): string {
  const name = sample.split("{")[0] as string;
  return names.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
}
