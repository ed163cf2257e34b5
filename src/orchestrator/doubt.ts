/**
 * Something that may or may not have happened. It ends the term: the holder reads the record from the leader and
 * becomes its own successor, which settles what is open.
 */
export class Doubt extends Error {
  override readonly name = "Doubt";
}
