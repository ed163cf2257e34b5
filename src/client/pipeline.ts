/**
 * Starts work on every item of a source, at most `window` at a time, and gives the results in the order of the
 * items. A slow source does not hold back results that are ready; while nobody takes results, nothing more is
 * started. Work must not reject.
 */
export async function* pipeline<T, R>(
  source: Iterable<T> | AsyncIterable<T>,
  window: number,
  start: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const items = iterate(source);
  const started: Promise<R>[] = [];
  let coming: Promise<IteratorResult<T, void>> | undefined = next(items);
  try {
    while (coming !== undefined || started.length > 0) {
      const oldest = started[0];
      if (coming !== undefined && started.length < window && (await isFirst(coming, oldest))) {
        const item: IteratorResult<T, void> = await coming;
        coming = item.done === true ? undefined : next(items);
        if (item.done !== true) started.push(start(item.value));
      } else {
        started.shift();
        yield (await oldest) as R;
      }
    }
  } finally {
    // Not awaited: it would wait for an item that a slow source may never bring.
    items.return().catch(() => {});
  }
}

async function* iterate<T>(source: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  yield* source;
}

/** The next item. A failure counts when the item is waited for, not before. */
function next<T>(items: AsyncGenerator<T, void, undefined>): Promise<IteratorResult<T, void>> {
  const coming = items.next();
  coming.catch(() => {});
  return coming;
}

/** Whether `a` is there before `b`; `a` when both are, or when there is no `b`. */
async function isFirst(a: Promise<unknown>, b: Promise<unknown> | undefined): Promise<boolean> {
  if (b === undefined) return true;
  return Promise.race([a.then(() => true), b.then(() => false)]);
}
