/** Dead letters, page by page. No page looks at more than a bounded number of them. */
import type { DeadLetterStore } from "../core/dead-letter-store.js";
import { isMeant, type Letter, type LetterFilter } from "../core/letters.js";
import { readLetter } from "../protocol/dead-letter.js";

/** Ids looked at for one page; letters that were removed count too. */
const MOST_LOOKED = 100_000;
const FIRST_WINDOW = 512;
const LARGEST_WINDOW = 16_384;

export interface Backwards<T> {
  found: T[];
  /** Goes on before this id; null when there are no more. */
  next: number | null;
}

/**
 * The newest letters before an id. A stream is only read forwards: in windows, the newest window first, each larger than
 * the one before.
 */
export async function newestLetters<T>(
  store: DeadLetterStore,
  filter: LetterFilter,
  page: { before?: number | undefined; limit: number },
  view: (letter: Letter) => T,
): Promise<Backwards<T>> {
  const { first, next } = await store.bounds();
  const start = Math.min(page.before ?? next, next);
  const found: { id: number; view: T }[] = [];
  let [before, size, isTooOld] = [start, Math.max(FIRST_WINDOW, 2 * page.limit), false];
  while (before > first && found.length < page.limit && start - before < MOST_LOOKED && !isTooOld) {
    const from = Math.max(first, before - size);
    const window: typeof found = [];
    await store.scan({ queue: filter.queue, from, before }, (head) => {
      const letter = readLetter(head);
      if (filter.since !== undefined && letter.diedAt < filter.since) isTooOld = true;
      if (isMeant(filter, letter)) window.push({ id: letter.id, view: view(letter) });
      return true;
    });
    found.push(...window.reverse());
    [before, size] = [from, Math.min(size * 2, LARGEST_WINDOW)];
  }
  const kept = found.slice(0, page.limit);
  const rest = found.length > page.limit ? kept.at(-1)?.id : before;
  const isOver = found.length <= page.limit && (before <= first || isTooOld);
  return { found: kept.map(({ view }) => view), next: isOver ? null : (rest ?? null) };
}

export interface Forwards {
  found: Letter[];
  /** Of the next page; null when there are no more. */
  next: string | null;
}

/**
 * The oldest letters after a cursor. What dies while they are worked off is not among them: the cursor carries the end.
 */
export async function oldestLetters(
  store: DeadLetterStore,
  filter: LetterFilter,
  page: { cursor?: string | undefined; limit: number },
): Promise<Forwards> {
  const bounds = await store.bounds();
  const [start, end] = page.cursor?.split("-").map(Number) ?? [bounds.first, bounds.next];
  const before = Math.min(end as number, bounds.next);
  const found: Letter[] = [];
  let [looked, reached] = [0, before];
  const from = Math.max(start as number, bounds.first);
  await store.scan({ queue: filter.queue, from, before }, (head) => {
    if (found.length === page.limit || looked === MOST_LOOKED) {
      reached = head.seq;
      return false;
    }
    looked++;
    const letter = readLetter(head);
    if (isMeant(filter, letter)) found.push(letter);
    return true;
  });
  return { found, next: reached < before ? `${reached}-${before}` : null };
}
