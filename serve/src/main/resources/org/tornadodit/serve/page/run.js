// A request on the page: it waits, its pictures sharpen, and it stays as a part of the gallery.

import { Refusal, generate, pngOf } from './api.js';
import { count, duration, facts, names, speed } from './words.js';

const template = document.getElementById('run');

/**
 * @typedef {{label: number, name: string}} ClassOf
 * @typedef {{classes: ClassOf[], n: number, steps: number, guidance: number, sampler: string, seed: number|null}} Settings
 * @typedef {{index: number, label: number, name: string, blob: Blob}} Picture
 */

export class Run {
  #page;
  #aborter = new AbortController();
  #tiles = [];
  #urls = new Map();
  #first = null;

  /**
   * @param {object} page what the run tells: done(run), again(run), removed(run), view(run, picture), say(words), needsToken()
   * @param {object} record settings, and what came of them; as it is kept
   */
  constructor(page, record) {
    this.#page = page;
    this.record = record;
    this.element = template.content.cloneNode(true).querySelector('.run');
    this.#find('.cancel').addEventListener('click', () => this.cancel());
    this.#find('.retry').addEventListener('click', () => this.start());
    this.#find('.again').addEventListener('click', () => page.again(this));
    this.#find('.remove').addEventListener('click', () => page.removed(this));
    this.#find('h3').textContent = names(record.classes);
    this.element.setAttribute('aria-label', names(record.classes));
    this.#facts();
    if (record.pictures.length > 0) {
      this.#finished();
    }
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }

  #facts() {
    this.#find('.facts').textContent = facts(this.record);
  }

  get isGoing() {
    return this.element.dataset.state === 'going';
  }

  cancel() {
    this.#aborter.abort();
  }

  /** Address of a picture's bytes; the same whenever it is asked. */
  url(picture) {
    if (!this.#urls.has(picture.index)) {
      this.#urls.set(picture.index, URL.createObjectURL(picture.blob));
    }
    return this.#urls.get(picture.index);
  }

  /** Frees what the page holds for the run. */
  dispose() {
    this.cancel();
    this.element.remove();
    this.#forget();
  }

  #forget() {
    this.#urls.forEach((url) => URL.revokeObjectURL(url));
    this.#urls.clear();
    this.record.pictures = [];
  }

  /** Asks the server, and shows what comes until the pictures are complete. */
  async start() {
    const { classes, n, steps, guidance, sampler, seed } = this.record;
    this.#aborter = new AbortController();
    this.#first = null;
    this.#forget();
    this.#show('going');
    this.#find('.error').hidden = true;
    this.#placeholders(classes.length * n);
    this.#state('Asking …');
    const body = {
      class_labels: classes.map((each) => each.label),
      n,
      num_inference_steps: steps,
      guidance_scale: guidance,
      sampler,
      ...(seed === null ? {} : { seed }),
    };
    try {
      let complete = false;
      for await (const event of generate(body, this.#aborter.signal)) {
        complete ||= event.type === 'done';
        this.#take(event);
      }
      if (!complete) {
        throw new Refusal('The connection ended before the pictures were complete.', { code: 'unreachable' });
      }
      this.#finished();
      this.#page.say(`${names(classes)}: complete`);
      this.#page.done(this);
    } catch (failure) {
      if (failure.name === 'AbortError') {
        this.#ended('cancelled', 'Cancelled.');
      } else {
        this.#failed(failure);
      }
    }
  }

  #take(event) {
    switch (event.type) {
      case 'queued':
        this.#seed(event.seed);
        this.#state(
          event.ahead > 0
            ? `${count(event.ahead, 'request is', 'requests are')} before this one`
            : event.running > 0 ? 'Next in the queue' : 'Starting …');
        break;
      case 'progress': {
        const batch = event.batches > 1 ? `, batch ${event.batch} of ${event.batches}` : '';
        const left = event.step < event.steps ? `${duration(event.time_left)} left` : 'decoding';
        // dopri5 decides on the way how many steps there are: they are told as 0.
        const words = event.steps === 0
          ? [`Step ${event.step}${batch}`, ...this.#speed(event)]
          : [`Step ${event.step} of ${event.steps}${batch}`, ...this.#speed(event), left];
        this.#state(words.join(' · '), event.fraction);
        break;
      }
      case 'image_generation.partial_image':
        this.#picture(event.index, `data:image/png;base64,${event.b64_json}`, event.revised_prompt, false);
        break;
      case 'image_generation.completed': {
        const picture = { index: event.index, label: event.class_label, name: event.revised_prompt, blob: pngOf(event.b64_json) };
        this.#seed(event.seed);
        this.record.size = event.size;
        this.record.pictures.push(picture);
        this.#picture(event.index, this.url(picture), picture.name, true);
        break;
      }
      case 'done':
        this.record.seconds = event.seconds;
        break;
      case 'error':
        throw new Refusal(event.error.message, { code: event.error.code, param: event.error.param });
      default: // what later servers tell
    }
  }

  /** How fast it has been since the first step that was told, previews and others' steps included; nothing before the second. */
  #speed({ step, steps, batch }) {
    const now = { steps: (batch - 1) * steps + step, milliseconds: performance.now() };
    this.#first ??= now;
    const rate = (1000 * (now.steps - this.#first.steps)) / (now.milliseconds - this.#first.milliseconds);
    return rate > 0 ? [speed(rate)] : [];
  }

  /** The seed that the server drew. */
  #seed(seed) {
    this.record.seed = seed;
    this.#facts();
  }

  #state(words, fraction) {
    this.#find('.state').textContent = words;
    const bar = this.#find('progress');
    if (fraction === undefined) {
      bar.removeAttribute('value');
    } else {
      bar.value = fraction;
    }
    bar.setAttribute('aria-label', `Progress of ${names(this.record.classes)}`);
    this.fraction = fraction ?? 0;
    this.#page.progressed();
  }

  #placeholders(pictures) {
    const list = this.#find('.tiles');
    this.#tiles = Array.from({ length: pictures }, (_, index) => {
      const tile = document.createElement('li');
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'tile noise';
      button.disabled = true;
      const image = document.createElement('img');
      image.alt = '';
      button.append(image);
      const name = this.record.classes[Math.floor(index / this.record.n)]?.name ?? '';
      button.setAttribute('aria-label', `${name}, in the making`);
      const caption = document.createElement('span');
      caption.className = 'name';
      caption.textContent = name;
      tile.append(button, caption);
      return tile;
    });
    list.replaceChildren(...this.#tiles);
  }

  #picture(index, source, name, complete) {
    const tile = this.#tiles[index];
    if (!tile) {
      return;
    }
    const button = tile.querySelector('button');
    const image = tile.querySelector('img');
    image.src = source;
    image.alt = name;
    tile.querySelector('.name').textContent = name;
    button.classList.remove('noise');
    button.classList.toggle('complete', complete);
    if (complete) {
      button.disabled = false;
      button.setAttribute('aria-label', `${name}, look closer`);
      button.onclick = () => this.#page.view(this, this.record.pictures.find((each) => each.index === index));
    }
  }

  #finished() {
    const { pictures, classes, seconds } = this.record;
    if (this.#tiles.length === 0) {
      this.#placeholders(pictures.length);
      pictures.forEach((picture) => this.#picture(picture.index, this.url(picture), picture.name, true));
    }
    this.element.setAttribute('aria-label', names(classes));
    this.#facts();
    if (seconds) {
      this.#find('.facts').textContent += ` · ${duration(seconds)}`;
    }
    this.#show('done');
  }

  #ended(state, words) {
    this.#state(words, this.fraction);
    this.#show(state);
    this.#page.say(words);
  }

  #failed(failure) {
    const error = this.#find('.error');
    error.textContent = failure.retryAfter
      ? `${failure.message}; try again in ${failure.retryAfter} s.`
      : failure.message;
    error.hidden = false;
    if (failure.status === 401) {
      this.#page.needsToken(() => this.start());
    }
    this.#show('failed');
  }

  #show(state) {
    const going = state === 'going';
    const hadFocus = this.element.contains(document.activeElement);
    this.element.dataset.state = state;
    this.element.setAttribute('aria-busy', String(going));
    this.#find('.going').hidden = state === 'done' || state === 'failed';
    this.#find('.cancel').hidden = !going;
    this.#find('.retry').hidden = state !== 'failed' && state !== 'cancelled';
    this.#find('.again').hidden = state !== 'done';
    this.#find('.remove').hidden = going;
    if (hadFocus && !this.element.contains(document.activeElement)) {
      this.#find('.buttons button:not([hidden])')?.focus(); // the button that had it is gone
    }
    this.#page.progressed();
  }
}
