// A picture by itself, with what made it.

import { fileName } from './words.js';

const field = (id) => document.getElementById(id);

export class Viewer {
  #dialog = field('viewer');
  #shown = [];
  #place = 0;

  /** @param {{all: () => object[], again: (run) => void, use: (run) => void}} page all pictures, as {run, picture} */
  constructor(page) {
    this.page = page;
    field('viewer-close').addEventListener('click', () => this.#dialog.close());
    field('viewer-previous').addEventListener('click', () => this.#go(-1));
    field('viewer-next').addEventListener('click', () => this.#go(1));
    field('viewer-again').addEventListener('click', () => this.#leave(page.again));
    field('viewer-use').addEventListener('click', () => this.#leave(page.use));
    this.#dialog.addEventListener('click', (event) => {
      if (event.target === this.#dialog) {
        this.#dialog.close(); // beside the picture
      }
    });
    this.#dialog.addEventListener('keydown', (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (way) {
        event.preventDefault();
        this.#go(way);
      }
    });
  }

  show(run, picture) {
    this.#shown = this.page.all();
    this.#place = this.#shown.findIndex((each) => each.run === run && each.picture === picture);
    this.#paint();
    this.#dialog.showModal();
    field('viewer-download').focus();
  }

  #go(way) {
    this.#place = (this.#place + way + this.#shown.length) % this.#shown.length;
    this.#paint();
  }

  #leave(action) {
    const { run } = this.#shown[this.#place];
    this.#dialog.close();
    action(run);
  }

  #paint() {
    const { run, picture } = this.#shown[this.#place];
    const { record } = run;
    const image = field('viewer-picture');
    image.src = run.url(picture);
    image.alt = picture.name;
    field('viewer-title').textContent = picture.name;
    const facts = {
      Class: picture.label,
      Seed: record.classes.length * record.n > 1 ? `${record.seed}, picture ${picture.index}` : record.seed,
      Steps: record.steps,
      Sampler: record.sampler,
      Guidance: record.guidance,
      Size: record.size.replace('x', ' × '),
      Model: record.model,
      Made: new Date(record.created).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }),
    };
    field('viewer-facts').replaceChildren(
      ...Object.entries(facts).map(([name, value]) => {
        const pair = document.createElement('div');
        const [term, words] = ['dt', 'dd'].map((tag) => document.createElement(tag));
        term.textContent = name;
        words.textContent = value;
        pair.append(term, words);
        return pair;
      }),
    );
    const download = field('viewer-download');
    download.href = run.url(picture);
    download.download = fileName(picture, record);
    field('viewer-place').textContent = `${this.#place + 1} of ${this.#shown.length}`;
    const one = this.#shown.length < 2;
    field('viewer-previous').disabled = one;
    field('viewer-next').disabled = one;
  }
}
