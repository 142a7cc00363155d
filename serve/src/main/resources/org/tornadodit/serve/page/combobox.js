// A combobox for several classes, after the ARIA Authoring Practices' editable combobox with a list.

import { read } from './api.js';

/** So many suggestions are shown. */
const MOST = 40;

/** So many classes are held here and searched without asking the server. */
const HELD = 1000;

const folded = (text) => text.trim().toLowerCase().replace(/[-_]/g, ' ').replace(/'/g, '');

/** Those of the classes that have a text in a name: names that begin with it, then words that do, then the rest. */
export function matching(classes, text) {
  const wanted = folded(text);
  const rank = (each) =>
    Math.min(
      ...[each.name, ...each.names].map((name, place) => {
        const own = folded(name);
        const at = own.indexOf(wanted);
        const synonym = place === 0 ? 0 : 0.5;
        return at < 0 ? Infinity : (own === wanted ? 0 : at === 0 ? 1 : own[at - 1] === ' ' ? 2 : 3) + synonym;
      }),
      String(each.label) === wanted ? 0 : Infinity,
    );
  return classes
    .map((each) => ({ each, rank: rank(each) }))
    .filter(({ rank: own }) => own < Infinity)
    .sort((a, b) => a.rank - b.rank)
    .map(({ each }) => each);
}

export class Combobox {
  #input = document.getElementById('classes');
  #list = document.getElementById('suggestions');
  #chips = document.getElementById('chosen');
  #held = [];
  #total = 0;
  #chosen = [];
  #shown = [];
  #active = -1;
  #asked = 0;
  #changed;
  #say;

  /**
   * @param {() => void} changed told whenever other classes are chosen
   * @param {(words: string) => void} say to who hears the page
   */
  constructor(changed, say) {
    this.#changed = changed;
    this.#say = say;
    this.#input.addEventListener('input', () => this.#suggest());
    this.#input.addEventListener('click', () => this.#suggest());
    this.#input.addEventListener('blur', () => this.#blurred());
    this.#input.addEventListener('keydown', (event) => this.#key(event));
    this.#input.parentElement.addEventListener('pointerdown', (event) => {
      if (event.target !== this.#input) {
        event.preventDefault(); // the text keeps the focus
      }
    });
    this.#list.addEventListener('click', (event) => {
      const option = event.target.closest('[role=option]');
      if (option) {
        this.#choose(this.#shown[[...this.#list.children].indexOf(option)]);
      }
    });
    this.#chips.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (button) {
        this.#remove([...this.#chips.children].indexOf(button.parentElement));
      }
    });
  }

  /** Reads the model's classes. @returns {Promise<object[]>} its favourites */
  async load() {
    const answer = await read(`v1/classes?limit=${HELD}`);
    this.#held = answer.data;
    this.#total = answer.total;
    const byLabel = new Map(this.#held.map((each) => [each.label, each]));
    return answer.favourites.map((label) => byLabel.get(label)).filter(Boolean);
  }

  get chosen() {
    return [...this.#chosen];
  }

  set chosen(classes) {
    this.#chosen = classes.map(({ label, name }) => ({ label, name }));
    this.#showChips();
    this.#changed();
  }

  add(one) {
    if (!this.#chosen.some((each) => each.label === one.label)) {
      this.chosen = [...this.#chosen, one];
      this.#say(`${one.name} chosen`);
    }
  }

  focus() {
    this.#input.focus();
  }

  /** Takes what is typed and not chosen yet. @returns {string|null} what is no class */
  take() {
    const text = this.#input.value.trim();
    if (!text) {
      return null;
    }
    const exact = matching(this.#held, text).find((each) =>
      [each.name, ...each.names, String(each.label)].some((name) => folded(name) === folded(text)));
    if (!exact) {
      return text;
    }
    this.#choose(exact);
    return null;
  }

  #showChips() {
    this.#chips.replaceChildren(
      ...this.#chosen.map((each) => {
        const chip = document.createElement('li');
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = each.name;
        button.setAttribute('aria-label', `Remove ${each.name}`);
        chip.append(button);
        return chip;
      }),
    );
  }

  #remove(place) {
    const [gone] = this.#chosen.splice(place, 1);
    this.#showChips();
    this.#changed();
    this.#say(`${gone.name} removed`);
    const next = this.#chips.children[Math.min(place, this.#chosen.length - 1)];
    (next?.firstChild ?? this.#input).focus();
  }

  #choose(one) {
    this.#input.value = '';
    this.#close();
    this.add(one);
  }

  async #suggest() {
    const text = this.#input.value;
    const turn = ++this.#asked;
    let found = matching(this.#held, text);
    if (this.#total > this.#held.length) {
      try {
        found = matching((await read(`v1/classes?limit=${MOST}&q=${encodeURIComponent(text.trim())}`)).data, text);
      } catch {
        // Those that are held will do.
      }
      if (turn !== this.#asked) {
        return;
      }
    }
    const labels = new Set(this.#chosen.map((each) => each.label));
    this.#shown = found.filter((each) => !labels.has(each.label)).slice(0, MOST);
    this.#open(text);
  }

  #open(text) {
    if (this.#shown.length === 0) {
      const none = document.createElement('li');
      none.className = 'none';
      none.setAttribute('role', 'presentation');
      none.textContent = text.trim() ? `No other class has “${text.trim()}” in its name.` : 'All are chosen.';
      this.#list.replaceChildren(none);
      this.#say(none.textContent);
    } else {
      this.#list.replaceChildren(...this.#shown.map((each, place) => option(each, place, folded(text))));
    }
    this.#list.hidden = false;
    this.#input.setAttribute('aria-expanded', 'true');
    this.#activate(text.trim() && this.#shown.length > 0 ? 0 : -1);
  }

  #close() {
    this.#asked++;
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#shown = [];
    this.#input.setAttribute('aria-expanded', 'false');
    this.#activate(-1);
  }

  #activate(place) {
    this.#list.children[this.#active]?.setAttribute('aria-selected', 'false');
    this.#active = place;
    if (place < 0) {
      this.#input.removeAttribute('aria-activedescendant');
      return;
    }
    const active = this.#list.children[place];
    active.setAttribute('aria-selected', 'true');
    active.scrollIntoView({ block: 'nearest' });
    this.#input.setAttribute('aria-activedescendant', active.id);
  }

  async #key(event) {
    const open = !this.#list.hidden;
    const last = this.#shown.length - 1;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        event.preventDefault();
        const down = event.key === 'ArrowDown';
        if (!open) {
          await this.#suggest();
          this.#activate(this.#shown.length === 0 ? -1 : down ? 0 : this.#shown.length - 1);
        } else if (last >= 0) {
          this.#activate(down ? (this.#active >= last ? 0 : this.#active + 1) : this.#active <= 0 ? last : this.#active - 1);
        }
        break;
      }
      case 'Enter':
        if (open && this.#active >= 0) {
          event.preventDefault();
          this.#choose(this.#shown[this.#active]);
        } else if (this.#input.value.trim()) {
          event.preventDefault();
          this.take();
        }
        break;
      case 'Escape':
        if (open) {
          event.preventDefault();
          this.#close();
        } else {
          this.#input.value = '';
        }
        break;
      case 'Backspace':
        if (this.#input.value === '' && this.#chosen.length > 0) {
          this.#remove(this.#chosen.length - 1);
          this.#input.focus();
        }
        break;
      default:
    }
  }

  #blurred() {
    this.take();
    this.#close();
  }
}

function option(each, place, wanted) {
  const item = document.createElement('li');
  item.id = `suggestion-${place}`;
  item.setAttribute('role', 'option');
  item.setAttribute('aria-selected', 'false');
  const name = document.createElement('span');
  const synonym = folded(each.name).includes(wanted)
    ? null
    : each.names.find((other) => folded(other).includes(wanted)) ?? null;
  mark(name, each.name, synonym === null ? wanted : '');
  item.append(name);
  if (synonym !== null) {
    const also = document.createElement('span');
    also.className = 'also';
    mark(also, synonym, wanted);
    item.append(' ', also);
  }
  return item;
}

/** The text with what was typed in it marked. */
function mark(element, text, wanted) {
  const at = wanted ? text.toLowerCase().replace(/[-_]/g, ' ').indexOf(wanted) : -1;
  if (at < 0) {
    element.textContent = text;
    return;
  }
  const marked = document.createElement('mark');
  marked.textContent = text.slice(at, at + wanted.length);
  element.append(text.slice(0, at), marked, text.slice(at + wanted.length));
}
