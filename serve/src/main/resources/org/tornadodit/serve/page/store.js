// The gallery in this browser's IndexedDB: runs with their pictures, the oldest of which make room for new ones.

const NAME = 'tornado-dit';
const RUNS = 'runs';

/** At most so many pictures and bytes are kept, whatever the disk would hold. */
const MOST_PICTURES = 200;
const MOST_BYTES = 100e6;

/** Runs, kept where the browser allows it, else until the page is left. */
export class Store {
  #database = null;

  async open() {
    try {
      this.#database = await new Promise((resolve, reject) => {
        const opening = indexedDB.open(NAME, 1);
        opening.onupgradeneeded = () => opening.result.createObjectStore(RUNS, { keyPath: 'id' });
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
        opening.onblocked = () => reject(new Error('blocked'));
      });
    } catch {
      this.#database = null; // a private window: the page works, and keeps nothing
    }
  }

  get isKept() {
    return this.#database !== null;
  }

  /** All runs, the newest first. */
  async all() {
    if (!this.#database) {
      return [];
    }
    const runs = await this.#ask('readonly', (store) => store.getAll());
    return runs.sort((a, b) => b.created - a.created);
  }

  /** @returns {Promise<string[]>} the runs that had to go for this one */
  async add(run) {
    if (!this.#database) {
      return [];
    }
    const gone = beyond([run, ...(await this.all())]);
    try {
      for (const id of gone) {
        await this.remove(id);
      }
      await this.#ask('readwrite', (store) => store.put(run));
    } catch {
      this.#database = null; // the disk is full: what is shown stays until the page is left
    }
    return gone;
  }

  async remove(id) {
    if (this.#database) {
      await this.#ask('readwrite', (store) => store.delete(id));
    }
  }

  async clear() {
    if (this.#database) {
      await this.#ask('readwrite', (store) => store.clear());
    }
  }

  #ask(mode, what) {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(RUNS, mode);
      const asked = what(transaction.objectStore(RUNS));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
    });
  }
}

/** Identifiers of those runs, the newest first, that are beyond what is kept; never the first. */
export function beyond(runs) {
  let pictures = 0;
  let bytes = 0;
  const gone = [];
  for (const [place, run] of runs.entries()) {
    pictures += run.pictures.length;
    bytes += run.pictures.reduce((sum, picture) => sum + picture.blob.size, 0);
    if (place > 0 && (pictures > MOST_PICTURES || bytes > MOST_BYTES)) {
      gone.push(run.id);
    }
  }
  return gone;
}
