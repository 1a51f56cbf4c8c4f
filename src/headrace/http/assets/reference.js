// Search, copy, tabs that stay, and requests with the reader's key. The page is readable without it.
'use strict';

const find = (selector, inside = document) => inside.querySelector(selector);
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const articles = all('article');
const narrow = matchMedia('(max-width: 60rem)');

function make(tag, words = {}, ...inside) {
  const node = Object.assign(document.createElement(tag), words);
  node.append(...inside);
  return node;
}

// The choice between light and dark that was made on the other pages.
try {
  const theme = localStorage.getItem('headrace-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.style.colorScheme = theme;
} catch { /* a browser without storage follows the system */ }

// Search: every word has to be there.
const search = find('input[type=search]');
const found = find('.search [role=status]');
const links = new Map(all('nav li a').map((link) => [link.hash.slice(1), link]));

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const article of articles) {
    article.hidden = !words.every((word) => article.dataset.find.includes(word));
    links.get(article.id).parentElement.hidden = article.hidden;
    count += !article.hidden;
  }
  for (const section of all('section.tag')) section.hidden = !find('article:not([hidden])', section);
  for (const group of all('nav .group')) {
    group.hidden = !find('li:not([hidden])', group);
    if (words.length) group.open = true;
  }
  if (words.length) find('nav .all').open = true;
  find('#types').hidden = words.length > 0;
  found.textContent = words.length ? `${count} of ${articles.length}` : '';
}

find('.search').hidden = false;
search.addEventListener('input', filter);
if (search.value) filter();
if (narrow.matches) find('nav .all').open = false;

// Where the reader is.
let current = null;
function mark(article) {
  current?.removeAttribute('aria-current');
  current = links.get(article.id);
  current.setAttribute('aria-current', 'true');
  if (narrow.matches) return;
  current.closest('details').open = true;
  current.scrollIntoView({ block: 'nearest' });
}
const observer = new IntersectionObserver((entries) => {
  const entered = entries.find((entry) => entry.isIntersecting);
  if (entered) mark(entered.target);
}, { rootMargin: '-5% 0px -80% 0px' });
for (const article of articles) observer.observe(article);

function step(by) {
  const shown = articles.filter((article) => !article.hidden);
  const here = shown.findIndex((article) => article.id === current?.hash.slice(1));
  const next = shown[Math.min(Math.max(here + by, 0), shown.length - 1)];
  if (!next) return;
  next.scrollIntoView();
  next.focus({ preventScroll: true });
  mark(next);
}

document.addEventListener('keydown', (event) => {
  const typing = /^(INPUT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== 'radio';
  if (event.target === search) {
    if (event.key === 'Escape') { search.value = ''; filter(); search.blur(); }
    if (event.key === 'Enter') { current = null; step(1); }
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/') { event.preventDefault(); search.focus(); search.select(); }
  if (event.key === 'j') step(1);
  if (event.key === 'k') step(-1);
});

// One choice of tab for all examples; what was clicked stays where it is.
document.addEventListener('change', (event) => {
  const tab = event.target.dataset.tab;
  if (tab === undefined) return;
  const before = event.target.parentElement.getBoundingClientRect().top;
  for (const input of all(`input[data-tab="${tab}"]`)) input.checked = true;
  scrollBy(0, event.target.parentElement.getBoundingClientRect().top - before);
});

function copyButton(samples) {
  const button = make('button', { type: 'button', textContent: 'copy' });
  button.addEventListener('click', async () => {
    const shown = all('pre', samples).find((pre) => getComputedStyle(pre).display !== 'none');
    try {
      await navigator.clipboard.writeText(shown.textContent);
      button.textContent = 'copied';
    } catch {
      getSelection().selectAllChildren(shown);
      button.textContent = 'selected';
    }
    setTimeout(() => { button.textContent = 'copy'; }, 1500);
  });
  return button;
}
for (const samples of all('.samples')) samples.append(copyButton(samples));

// Try it. The key is read from its field when a request is sent, and kept nowhere else.
const key = find('#key');
find('form.key').hidden = false;
find('form.key').addEventListener('submit', (event) => event.preventDefault());
let spec = null;

async function operationOf(article) {
  spec ??= fetch('/api/openapi.json', { credentials: 'omit' }).then((answer) => answer.json());
  try {
    return (await spec).paths[article.dataset.path][article.dataset.method];
  } catch (failure) {
    spec = null; // the next try asks again
    throw failure;
  }
}

function typeOf(schema) {
  return schema.type ?? schema.anyOf?.find((one) => one.type && one.type !== 'null')?.type ?? 'string';
}

function fieldOf(article, one) {
  const type = typeOf(one.schema);
  const hint = { array: 'a, b', object: 'key=value, key=value' }[type] ?? type;
  const start = one.schema.default ?? '';
  const shown = typeof start === 'object' ? '' : String(start);
  const input = make('input', {
    id: `${article.id}-try-${one.name}`, name: one.name, required: one.required,
    placeholder: shown ? `${shown} (${hint})` : hint, autocomplete: 'off', spellcheck: false,
  });
  Object.assign(input.dataset, { in: one.in, type });
  return [make('label', { htmlFor: input.id, textContent: one.name + (one.required ? ' *' : '') }), input];
}

async function formOf(article) {
  const operation = await operationOf(article);
  const form = make('form', { className: 'form' });
  for (const one of operation.parameters.filter((one) => one.in !== 'header')) form.append(...fieldOf(article, one));
  const body = operation.requestBody?.content['application/json'];
  if (body) {
    const text = body.example === undefined ? '{}' : JSON.stringify(body.example, null, 2);
    const area = make('textarea', { id: `${article.id}-try-body`, name: 'body', value: text, spellcheck: false });
    area.className = 'body';
    form.append(make('label', { htmlFor: area.id, textContent: 'body' }), area);
  }
  const writes = article.dataset.method !== 'get' || operation['x-effect'];
  const send = make('button', { className: 'go', textContent: writes ? 'send: this changes the server' : 'send' });
  const stop = make('button', { type: 'button', textContent: 'stop', hidden: true });
  const answer = make('output', { className: 'all' });
  form.append(make('div', { className: 'all' }, send, stop), answer);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    request(article, form, operation, { send, stop, answer });
  });
  return form;
}

function addressOf(article, form) {
  let path = article.dataset.path;
  const query = new URLSearchParams();
  for (const input of all('input', form)) {
    const value = input.value.trim();
    if (input.dataset.in === 'path') path = path.replace(`{${input.name}}`, encodeURIComponent(value));
    else if (value && input.dataset.type === 'array') for (const one of value.split(',')) query.append(input.name, one.trim());
    else if (value && input.dataset.type === 'object')
      for (const pair of value.split(',')) {
        const [name, ...rest] = pair.split('=');
        query.append(`${input.name}[${name.trim()}]`, rest.join('=').trim());
      }
    else if (value) query.append(input.name, value);
  }
  const text = query.toString();
  return `/api${path}${text && `?${text}`}`;
}

const MOST = 200_000;

async function request(article, form, operation, { send, stop, answer }) {
  const address = addressOf(article, form);
  const headers = {};
  const body = find('textarea', form)?.value.trim();
  if (body) headers['Content-Type'] = 'application/json';
  const text = key.value.trim();
  if (text) headers[text.split('.').length === 3 ? 'x-access-token' : 'Authorization'] = text;
  else if (operation.security.length) {
    answer.replaceChildren(make('p', { className: 'no', textContent: 'This needs a key: paste yours under Start, or here.' }), keyHere());
    return;
  }
  const line = make('p', { textContent: `${article.dataset.method.toUpperCase()} ${address} …` });
  const pre = make('pre', { tabIndex: 0 });
  answer.replaceChildren(line, pre);
  const control = new AbortController();
  stop.onclick = () => control.abort();
  send.disabled = true;
  stop.hidden = false;
  const start = performance.now();
  try {
    const reply = await fetch(address, {
      method: article.dataset.method.toUpperCase(), headers, body: body || undefined, credentials: 'omit',
      cache: 'no-store', signal: control.signal,
    });
    const kind = reply.headers.get('content-type')?.split(';')[0] ?? '';
    const time = Math.round(performance.now() - start);
    line.textContent = `${reply.status} ${reply.statusText} · ${time} ms · ${kind}`;
    line.className = reply.ok ? 'ok' : 'no';
    await show(reply, kind, pre);
  } catch (error) {
    if (error.name === 'AbortError') line.append(' · stopped');
    else { line.className = 'no'; line.textContent = `no answer: ${error.message}`; }
  } finally {
    send.disabled = false;
    stop.hidden = true;
  }
}

async function show(reply, kind, pre) {
  const reader = reply.body?.pipeThrough(new TextDecoderStream()).getReader();
  let whole = '';
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    whole += value;
    pre.textContent = whole.slice(0, MOST);
    if (whole.length > MOST) { await reader.cancel(); pre.textContent += '\n… cut off here'; return; }
  }
  if (kind !== 'application/json') return;
  try { pre.textContent = JSON.stringify(JSON.parse(whole), null, 2); } catch { /* as it came */ }
}

function keyHere() {
  const input = make('input', { type: 'password', autocomplete: 'off', placeholder: 'your key', ariaLabel: 'your key' });
  input.addEventListener('input', () => { key.value = input.value; });
  return input;
}

for (const article of articles) {
  const button = make('button', { type: 'button', className: 'try', textContent: 'try it' });
  button.setAttribute('aria-expanded', 'false');
  let form = null;
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      if (form === null) {
        form = await formOf(article);
        article.append(form);
      } else form.hidden = !form.hidden;
      button.setAttribute('aria-expanded', String(!form.hidden));
      if (!form.hidden) find('input, textarea, button', form).focus();
    } finally { button.disabled = false; }
  });
  article.append(button);
}
