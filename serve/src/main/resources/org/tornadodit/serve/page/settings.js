// The form: what is asked for, checked in place, and remembered for the next visit.

const KEPT = 'tornado-dit.settings';

/** Typical steps and a word on samplers that the server may have; of others its default holds. */
const SAMPLERS = {
  ddpm: { steps: 250, hint: 'The paper’s own: 100 to 250 steps.' },
  ddim: { steps: 50, hint: 'Follows from the first noise alone: 50 to 250 steps.' },
  'dpm++': { steps: 25, hint: 'DPM-Solver++: 20 to 30 steps.' },
  'dpm++sde': { steps: 30, hint: 'DPM-Solver++ with fresh noise: 25 to 50 steps.' },
  unipc: { steps: 15, hint: 'UniPC, for the fewest steps: 10 to 20.' },
  euler: { hint: 'The simplest way along the velocity.' },
  heun: { hint: 'Looks ahead: two calls of the model a step.' },
  'euler-maruyama': { hint: 'Fresh noise in every step.' },
  'heun-sde': { hint: 'Fresh noise, looking ahead: two calls of the model a step.' },
  dopri5: { hint: 'Takes as many steps as each picture needs.' },
  meanflow: { steps: 1, hint: 'One step may do.' },
};

const field = (id) => document.getElementById(id);

/** Shows what is wrong with a field beside it; with no words, that all is well. */
export function complain(id, words) {
  const error = field(`${id}-error`);
  error.textContent = words ?? '';
  error.hidden = !words;
  if (words) {
    field(id).setAttribute('aria-invalid', 'true');
  } else {
    field(id).removeAttribute('aria-invalid');
  }
}

export class Settings {
  #model = null;
  #combobox;
  #changed;

  /** @param {() => void} changed told at each change */
  constructor(combobox, changed) {
    this.#combobox = combobox;
    this.#changed = changed;
    for (const id of ['steps', 'guidance']) {
      const [number, range] = [field(id), field(`${id}-range`)];
      range.addEventListener('input', () => {
        number.value = range.value;
        complain(id);
      });
      number.addEventListener('input', () => (range.value = number.value));
    }
    field('sampler').addEventListener('change', () => {
      const typical = this.#typicalSteps();
      field('steps').value = typical;
      field('steps-range').value = typical;
      this.#hint();
    });
    field('ask').addEventListener('input', (event) => {
      if (event.target.id && field(`${event.target.id}-error`)) {
        complain(event.target.id);
      }
      this.changed();
    });
  }

  changed() {
    this.#keep();
    this.#changed();
  }

  /** Takes what a model allows and does by itself, then what was set the last time. */
  setModel(model) {
    this.#model = model;
    const options = model.samplers.map((name) => new Option(name, name));
    field('sampler').replaceChildren(...options);
    field('steps-range').max = Math.min(250, model.limits.max_steps);
    field('n').max = model.limits.max_pictures;
    const { num_inference_steps: steps, guidance_scale: guidance, sampler } = model.defaults;
    this.#set({ steps, guidance, sampler, n: 1, seed: null });
    const kept = this.#kept();
    if (kept !== null && model.samplers.includes(kept.sampler)) {
      this.set(kept);
    } else {
      this.#hint();
    }
  }

  /** Puts settings into the form. */
  set(settings) {
    this.#set(settings);
    const known = settings.classes.filter(({ label }) => label < (this.#model?.classes ?? 0));
    this.#combobox.chosen = known;
    this.#hint();
    this.changed();
  }

  #set({ steps, guidance, sampler, n, seed }) {
    field('n').value = n;
    field('sampler').value = sampler;
    for (const [id, value] of Object.entries({ steps, guidance })) {
      field(id).value = value;
      field(`${id}-range`).value = value;
    }
    field('seed').value = seed ?? '';
  }

  #typicalSteps() {
    const { sampler, num_inference_steps: steps } = this.#model.defaults;
    const chosen = field('sampler').value;
    return chosen === sampler ? steps : SAMPLERS[chosen]?.steps ?? steps;
  }

  #hint() {
    field('sampler-hint').textContent = SAMPLERS[field('sampler').value]?.hint ?? '';
  }

  /** Pictures that the form asks for as it is. */
  get pictures() {
    return this.#combobox.chosen.length * Math.max(1, Math.floor(Number(field('n').value)) || 1);
  }

  /** @returns {object|null} what is asked for; null where something is wrong, which is then said beside it */
  read() {
    const { max_pictures: mostPictures, max_steps: mostSteps } = this.#model.limits;
    const wrong = [];
    const check = (id, words) => {
      complain(id, words);
      if (words) {
        wrong.push(id);
      }
    };
    const unknown = this.#combobox.take();
    const { chosen } = this.#combobox;
    check('classes', unknown ? `The model has no class “${unknown}”.` : chosen.length === 0 ? 'Choose a class first.' : '');
    const n = this.#whole('n');
    const pictures = n * Math.max(1, chosen.length);
    check('n', n === null || n < 1
      ? 'Expected 1 or more.'
      : pictures > mostPictures ? `That makes ${pictures} pictures, at most ${mostPictures} are allowed.` : '');
    const steps = this.#whole('steps');
    check('steps', steps === null || steps < 1 || steps > mostSteps ? `Expected 1 to ${mostSteps} steps.` : '');
    const guidance = field('guidance').value.trim() === '' ? NaN : Number(field('guidance').value);
    check('guidance', guidance >= 0 && guidance < Infinity ? '' : 'Expected a number of at least 0.');
    const text = field('seed').value.trim();
    const seed = text === '' ? null : this.#whole('seed');
    check('seed', text !== '' && (seed === null || seed < 0 || seed > Number.MAX_SAFE_INTEGER)
      ? `Expected a whole number, 0 to ${Number.MAX_SAFE_INTEGER}; or nothing, for another each time.`
      : '');
    if (wrong.length > 0) {
      field(wrong[0]).focus();
      return null;
    }
    return { classes: chosen, n, steps, guidance, sampler: field('sampler').value, seed };
  }

  #whole(id) {
    const text = field(id).value.trim();
    return /^\d+$/.test(text) ? Number(text) : null;
  }

  #keep() {
    if (this.#model === null) {
      return;
    }
    const classes = this.#combobox.chosen;
    const [n, steps] = ['n', 'steps'].map((id) => this.#whole(id));
    const guidance = Number(field('guidance').value);
    try {
      localStorage.setItem(KEPT, JSON.stringify({
        model: this.#model.id, classes, n: n ?? 1, steps: steps ?? this.#typicalSteps(), guidance,
        sampler: field('sampler').value, seed: this.#whole('seed'),
      }));
    } catch {
      // A private window: nothing is remembered.
    }
  }

  #kept() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT));
      return kept?.model === this.#model.id && Array.isArray(kept.classes) ? kept : null;
    } catch {
      return null;
    }
  }
}
