// Numbers and settings in words.

/** Seconds as people say them. */
export function duration(seconds) {
  if (seconds < 10) {
    return `${Math.max(0.1, seconds).toFixed(1)} s`;
  }
  if (seconds < 90) {
    return `${Math.round(seconds)} s`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Steps a second, or seconds a step where that is more than one. */
export function speed(stepsPerSecond) {
  return stepsPerSecond >= 1
    ? `${stepsPerSecond < 10 ? stepsPerSecond.toFixed(1) : Math.round(stepsPerSecond)} steps/s`
    : `${duration(1 / stepsPerSecond)} a step`;
}

export function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

/** What a run was made with, in a line. */
export function facts(run) {
  const seed = run.seed === null ? [] : [`seed ${run.seed}`];
  return [count(run.steps, 'step', 'steps'), run.sampler, `guidance ${run.guidance}`, ...seed].join(' · ');
}

export function names(classes) {
  return classes.map((each) => each.name).join(', ');
}

/** A name for a picture's file, of letters, digits and hyphens. */
export function fileName(picture, run) {
  const name = picture.name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '');
  return `${name || picture.label}-seed-${run.seed}${run.pictures.length > 1 ? `-${picture.index}` : ''}.png`;
}
