import type { HttpAnswer } from '@vantage/observability';
import type { SkillIds } from '@vantage/skill';

/** Contract custom-node-and-skills E: at most 100 for each instance, skill and device. */
const PER_TRIPLE = 100;
const MAX_TRIPLES = 500;
const MAX_BYTES = 64 << 20;

interface Shelf {
  readonly ids: SkillIds;
  /** Oldest first. */
  readonly documents: string[];
}

/** The newest insights documents of each instance, skill and device, in memory. Bounded in number and in bytes. */
export class InsightStore {
  /** The one that was written to last is the last. */
  readonly #shelves = new Map<string, Shelf>();
  #bytes = 0;

  /** Ignored when one of the ids is missing. */
  add({ instance, skill, device }: Partial<SkillIds>, document: string): void {
    if (!instance || !skill || !device || document.length > MAX_BYTES) return;
    const key = JSON.stringify([instance, skill, device]);
    const shelf = this.#shelves.get(key) ?? { ids: { instance, skill, device }, documents: [] };
    this.#shelves.delete(key);
    this.#shelves.set(key, shelf);
    shelf.documents.push(document);
    this.#bytes += document.length;
    if (shelf.documents.length > PER_TRIPLE) this.#removeOldest(key, shelf);
    while (this.#shelves.size > MAX_TRIPLES || this.#bytes > MAX_BYTES) {
      const [oldest] = this.#shelves;
      if (!oldest) return;
      this.#removeOldest(...oldest);
    }
  }

  /** Newest first. */
  newest({ instance, skill, device }: SkillIds, limit = PER_TRIPLE): string[] {
    const documents = this.#shelves.get(JSON.stringify([instance, skill, device]))?.documents ?? [];
    return documents.slice(-Math.max(1, limit)).reverse();
  }

  /** `GET /insights?instance=&skill=&device=[&limit=]`; without any of them, what there is. */
  answer(query: URLSearchParams): HttpAnswer {
    const [instance, skill, device] = ['instance', 'skill', 'device'].map((name) => query.get(name) ?? '');
    if (!instance && !skill && !device) {
      const all = [...this.#shelves.values()].reverse();
      return {
        status: 200,
        body: JSON.stringify(all.map(({ ids, documents }) => ({ ...ids, count: documents.length }))),
      };
    }
    if (!instance || !skill || !device) {
      return { status: 400, body: JSON.stringify({ error: 'instance, skill and device are needed, or none of them' }) };
    }
    const limit = Number(query.get('limit') ?? PER_TRIPLE);
    if (!Number.isInteger(limit) || limit < 1) {
      return { status: 400, body: JSON.stringify({ error: 'limit is not a number of documents' }) };
    }
    return { status: 200, body: `[${this.newest({ instance, skill, device }, limit).join(',')}]` };
  }

  #removeOldest(key: string, { documents }: Shelf): void {
    this.#bytes -= documents.shift()?.length ?? 0;
    if (documents.length === 0) this.#shelves.delete(key);
  }
}
