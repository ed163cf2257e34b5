/**
 * Starts work on every item of a source, at most `window` at a time, and gives the results in the order of the
 * items. A slow source does not hold back results that are ready; while nobody takes results, nothing more is
 * started. When the source fails, what was started still gives its results before the failure is thrown. Work
 * must not reject.
 */
export async function* pipeline<T, R>(
  source: Iterable<T> | AsyncIterable<T>,
  window: number,
  start: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const items = iterate(source);
  const started: Promise<R>[] = [];
  let failure: { error: unknown } | undefined;
  let coming: Promise<Item<T>> | undefined = next(items);
  try {
    while (coming !== undefined || started.length > 0) {
      const oldest = started[0];
      if (coming !== undefined && started.length < window && (await isFirst(coming, oldest))) {
        const item: Item<T> = await coming;
        coming = item.kind === "item" ? next(items) : undefined;
        if (item.kind === "item") started.push(start(item.value));
        if (item.kind === "failure") failure = item;
      } else {
        started.shift();
        yield (await oldest) as R;
      }
    }
    if (failure !== undefined) throw failure.error;
  } finally {
    // Not awaited: it would wait for an item that a slow source may never bring.
    items.return().catch(() => {});
  }
}

async function* iterate<T>(source: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  yield* source;
}

type Item<T> = { kind: "item"; value: T } | { kind: "end" } | { kind: "failure"; error: unknown };

async function next<T>(items: AsyncGenerator<T, void, undefined>): Promise<Item<T>> {
  try {
    const result = await items.next();
    return result.done === true ? { kind: "end" } : { kind: "item", value: result.value };
  } catch (error) {
    return { kind: "failure", error };
  }
}

/** Whether `a` is there before `b`; `a` when both are, or when there is no `b`. */
async function isFirst(a: Promise<unknown>, b: Promise<unknown> | undefined): Promise<boolean> {
  if (b === undefined) return true;
  return Promise.race([a.then(() => true), b.then(() => false)]);
}
