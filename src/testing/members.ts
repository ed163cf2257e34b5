/** Who is alive, in memory. */
import type { Member, Membership, Subscription } from "../core/ports.js";
import { type MemoryLink, subscription } from "./link.js";
import type { MemoryServer } from "./server.js";

export class MemoryMembership implements Membership {
  readonly #server: MemoryServer;
  readonly #link: MemoryLink;

  constructor(server: MemoryServer, link: MemoryLink) {
    this.#server = server;
    this.#link = link;
  }

  announce(member: Member): Promise<void> {
    return this.#link.ask("announce", () => this.#server.announce({ ...member }));
  }

  leave(member: Member): Promise<void> {
    return this.#link.ask("leave", () => this.#server.leave(member));
  }

  list(): Promise<Member[]> {
    return this.#link.ask("members", () => this.#server.members().map(([, member]) => ({ ...member })));
  }

  watch(onChange: (key: string, member: Member | null) => void): Promise<Subscription> {
    const feed = this.#link.feed(() => this.#server.faults.watchDelayMs?.("members") ?? 0);
    const tell = (key: string, member: Member | null) => feed.push(() => onChange(key, member));
    return this.#link.ask("watch members", () => {
      for (const [key, member] of this.#server.members()) tell(key, member);
      const end = this.#server.onMember(tell);
      return subscription(this.#link, () => {
        feed.stop();
        end();
      });
    });
  }

  answerProbes(memberId: string): Subscription {
    const { answering } = this.#server;
    const isResponsive = () => this.#link.isResponsive;
    this.#link.send(() => answering.set(memberId, isResponsive));
    return subscription(this.#link, () => {
      if (answering.get(memberId) === isResponsive) answering.delete(memberId);
    });
  }

  probe(memberId: string): Promise<"alive" | "gone" | "unknown"> {
    const { answering, faults } = this.#server;
    const fault = faults.read?.("probe") === true ? "lost before" : undefined;
    const look = () => {
      const answers = answering.get(memberId);
      if (answers === undefined) return "gone";
      return answers() ? "alive" : "unknown";
    };
    return this.#link.request<"alive" | "gone" | "unknown">(look, fault, () => "unknown");
  }
}
