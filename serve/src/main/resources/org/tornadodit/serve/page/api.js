// The server's endpoint: JSON, and server-sent events read from a POST.

const TOKEN = 'tornado-dit.token';

/** An answer that is no success, in one line for people. */
export class Refusal extends Error {
  /** @param {{status?: number, code?: string|null, param?: string|null, retryAfter?: number}} about */
  constructor(message, about = {}) {
    super(message);
    this.status = about.status ?? 0;
    this.code = about.code ?? null;
    this.param = about.param ?? null;
    this.retryAfter = about.retryAfter ?? 0;
  }
}

/** Kept until the tab is closed, and readable by this page alone. */
export function setToken(token) {
  if (token) {
    sessionStorage.setItem(TOKEN, token);
  } else {
    sessionStorage.removeItem(TOKEN);
  }
}

function headers(more = {}) {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, { cache: 'no-store', ...options });
  } catch (failure) {
    if (failure.name === 'AbortError') {
      throw failure;
    }
    throw new Refusal('The server does not answer. Is it still running?', { code: 'unreachable' });
  }
  if (response.ok) {
    return response;
  }
  let error = null;
  try {
    error = (await response.json()).error;
  } catch {
    // A proxy between may answer in another format: the status says enough.
  }
  throw new Refusal(error?.message ?? `The server answers with status ${response.status}.`, {
    status: response.status,
    code: error?.code,
    param: error?.param,
    retryAfter: Number(response.headers.get('Retry-After')) || 0,
  });
}

/** What a path holds, as JSON. */
export async function read(path) {
  const response = await send(path, { headers: headers() });
  return response.json();
}

/** Asks for pictures, and yields the events of the answer; aborting the signal cancels the request. */
export async function* generate(body, signal) {
  const response = await send('v1/images/generations', {
    method: 'POST',
    headers: headers({ 'Content-Type': 'application/json', Accept: 'text/event-stream' }),
    body: JSON.stringify({ ...body, stream: true }),
    signal,
  });
  for await (const data of eventData(response.body)) {
    yield JSON.parse(data);
  }
}

/** The data of server-sent events, as the HTML standard parses them; names and identifiers of events are not read. */
export async function* eventData(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let data = [];
  try {
    for (;;) {
      let chunk;
      try {
        chunk = await reader.read();
      } catch (failure) {
        if (failure.name === 'AbortError') {
          throw failure;
        }
        throw new Refusal('The connection broke before the pictures were complete.', { code: 'unreachable' });
      }
      if (chunk.done) {
        return;
      }
      text += chunk.value;
      // A carriage return at the end may be half of a line's end.
      const lines = text.split(/\r\n|\n|\r(?!$)/);
      text = lines.pop();
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) {
            yield data.join('\n');
          }
          data = [];
        } else if (line.startsWith('data:')) {
          data.push(line.slice(line[5] === ' ' ? 6 : 5));
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** A PNG in Base64 as a blob. */
export function pngOf(base64) {
  return new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: 'image/png' });
}
