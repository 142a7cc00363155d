// The page: form, runs and gallery, brought together.

import { read, setToken } from './api.js';
import { Combobox } from './combobox.js';
import { Run } from './run.js';
import { Settings, complain } from './settings.js';
import { Store } from './store.js';
import { Viewer } from './viewer.js';
import { count } from './words.js';

/** How often the server is asked how it is, in milliseconds. */
const HEALTH = 5000;

/** Between the form and the window's edges, in pixels. */
const EDGE = 24;

const field = (id) => document.getElementById(id);
const store = new Store();

/** All runs on the page, the newest first. */
let runs = [];
let model = null;
let waitingForToken = [];

function say(words) {
  field('say').textContent = words;
}

const combobox = new Combobox(() => settings.changed(), say);
const settings = new Settings(combobox, showMake);

const page = {
  say,
  needsToken,
  progressed: showGoing,
  done: async (run) => {
    const gone = await store.add(run.record);
    runs.filter((each) => gone.includes(each.record.id)).forEach(drop);
    showKept();
    health();
  },
  again: (run) => {
    if (isOfThisModel(run)) {
      begin({ ...run.record, seed: anySeed() });
    }
  },
  removed: async (run) => {
    const next = run.element.nextElementSibling ?? run.element.previousElementSibling;
    drop(run);
    await store.remove(run.record.id);
    (next?.querySelector('.buttons button:not([hidden])') ?? field('pictures')).focus();
  },
  view: (run, picture) => viewer.show(run, picture),
};

const viewer = new Viewer({
  all: () => runs.flatMap((run) => (run.isGoing ? [] : run.record.pictures.map((picture) => ({ run, picture })))),
  again: (run) => page.again(run),
  use: (run) => {
    if (isOfThisModel(run)) {
      settings.set(run.record);
      combobox.focus();
    }
  },
});

/** Labels of another model would be other classes of this one. */
function isOfThisModel({ record }) {
  const same = record.model === model?.id;
  complainOfAll(same ? '' : `That was made by the model ${record.model}, which this server does not have.`);
  if (!same) {
    field('ask-error').scrollIntoView({ block: 'nearest' });
  }
  return same;
}

function anySeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

function begin({ classes, n, steps, guidance, sampler, seed }) {
  const run = new Run(page, {
    id: `${Date.now()}-${anySeed()}`,
    created: Date.now(),
    model: model.id,
    size: `${model.image_size}x${model.image_size}`,
    classes, n, steps, guidance, sampler, seed,
    pictures: [],
  });
  runs.unshift(run);
  field('runs').prepend(run.element);
  showKept();
  run.start();
  setTimeout(health, 500);
  run.element.scrollIntoView({ block: 'nearest', behavior: reducedMotion() ? 'auto' : 'smooth' });
}

function drop(run) {
  runs = runs.filter((each) => each !== run);
  run.dispose();
  showKept();
}

function reducedMotion() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** The button says what it will do. */
function showMake() {
  const { pictures } = settings;
  field('make').textContent = pictures > 1 ? `Make ${pictures} pictures` : 'Make a picture';
}

function showKept() {
  const pictures = runs.reduce((sum, run) => sum + run.record.pictures.length, 0);
  field('empty').hidden = runs.length > 0;
  field('kept').hidden = pictures === 0;
  field('kept-text').textContent = store.isKept
    ? `${count(pictures, 'picture is', 'pictures are')} kept in this browser. The oldest make room for new ones.`
    : 'This browser keeps nothing: the pictures are gone when the page is left.';
}

/** The window's title tells how far it is. */
function showGoing() {
  const going = runs.filter((run) => run.isGoing);
  const share = going.reduce((sum, run) => sum + (run.fraction ?? 0), 0) / going.length;
  document.title = going.length > 0 ? `${Math.floor(100 * share)} % · tornado-dit` : 'tornado-dit';
}

function needsToken(then) {
  waitingForToken.push(then);
  const dialog = field('token-dialog');
  if (!dialog.open) {
    dialog.showModal();
  }
}

field('token-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  setToken(field('token').value.trim());
  try {
    await read('v1/models');
  } catch (failure) {
    complain('token', failure.status === 401 ? 'The server does not take this token.' : failure.message);
    field('token').select();
    return;
  }
  complain('token');
  field('token').value = '';
  field('token-dialog').close();
  const waiting = waitingForToken;
  waitingForToken = [];
  waiting.forEach((then) => then());
});

field('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  complainOfAll('');
  if (model === null) {
    connect();
    return;
  }
  const wanted = settings.read();
  if (wanted !== null) {
    begin(wanted);
  }
});

function complainOfAll(words) {
  field('ask-error').textContent = words;
  field('ask-error').hidden = !words;
}

let sureUntil = 0;
field('clear').addEventListener('click', async () => {
  const button = field('clear');
  if (Date.now() > sureUntil) {
    sureUntil = Date.now() + 5000;
    button.textContent = 'Remove all, really';
    setTimeout(() => (button.textContent = 'Remove all'), 5000);
    return;
  }
  sureUntil = 0;
  button.textContent = 'Remove all';
  runs.filter((run) => !run.isGoing).forEach(drop);
  await store.clear();
  field('pictures').focus();
});

/** Learns what the server has; where it wants a token, after that is given. */
async function connect() {
  try {
    const { data } = await read('v1/models');
    const favourites = await combobox.load();
    [model] = data;
    complainOfAll('');
    field('model').textContent = `${model.id}, ${model.image_size} × ${model.image_size}`;
    field('model').title = model.engine;
    showFavourites(favourites);
    settings.setModel(model);
    await health();
  } catch (failure) {
    field('load').textContent = 'Not connected';
    if (failure.status === 401) {
      needsToken(connect);
    } else {
      complainOfAll(failure.message);
    }
  }
}

function showFavourites(favourites) {
  const line = field('favourites');
  line.replaceChildren(
    ...favourites.slice(0, 8).map((each) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = each.name;
      button.setAttribute('aria-label', `Add ${each.name}`);
      button.addEventListener('click', () => {
        complain('classes');
        combobox.add(each);
      });
      return button;
    }),
  );
  line.hidden = favourites.length === 0;
}

async function health() {
  if (document.hidden || model === null) {
    return;
  }
  const load = field('load');
  try {
    const { running, waiting } = await read('health');
    load.textContent = running === 0 ? 'idle' : `${running} at work${waiting > 0 ? `, ${waiting} waiting` : ''}`;
    load.dataset.state = running > 0 ? 'busy' : 'idle';
  } catch (failure) {
    load.textContent = failure.status === 503 ? 'stopping' : 'not reachable';
    load.dataset.state = 'away';
  }
}

async function kept() {
  await store.open();
  for (const record of await store.all()) {
    const run = new Run(page, record);
    runs.push(run);
    field('runs').append(run.element);
  }
  showKept();
}

/** The form stays in sight; where it is higher than the window, its end does. */
function placeForm() {
  const form = field('ask');
  const room = innerHeight - form.offsetHeight - EDGE;
  form.style.top = `${Math.min(EDGE, room)}px`;
}

new ResizeObserver(placeForm).observe(field('ask'));
addEventListener('resize', placeForm);
setInterval(health, HEALTH);
document.addEventListener('visibilitychange', health);
await kept();
await connect();
