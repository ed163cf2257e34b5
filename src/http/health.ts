/** Whether the parts of this process can do their work now. */

/** An orchestrator or a worker, from outside. */
export interface Part {
  /** What keeps it from working now; null when nothing does. */
  readonly problem: string | null;
  /** It has stopped for good: nobody waits for it any more. */
  readonly isOver: boolean;
}

export interface Ready {
  isReady: boolean;
  /** One line for each part, as Kubernetes prints its own: `[+]orchestrator ok`. */
  text: string;
}

export class Health {
  readonly #parts = new Map<Part, string>();

  add(name: string, part: Part): void {
    this.#parts.set(part, name);
  }

  /** A process with no part that works is not ready. */
  get ready(): Ready {
    for (const part of this.#parts.keys()) if (part.isOver) this.#parts.delete(part);
    const answers = [...this.#parts].map(([{ problem }, name]) => ({ name, problem }));
    const lines = answers.map(({ name, problem }) =>
      problem === null ? `[+]${name} ok` : `[-]${name}: ${problem}`,
    );
    const isReady = answers.length > 0 && answers.every(({ problem }) => problem === null);
    return { isReady, text: [...lines, isReady ? "ready" : "not ready"].join("\n") };
  }
}
