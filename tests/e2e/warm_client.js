// node warm_client.js PROGRAM DESCRIPTOR: command lines of the official client, one after the other.
//
// The client's own files, and packages that remember something, are loaded anew for each line; the other
// packages stay, which are nine tenths of its start. A line has its own words, environment, folder and
// output, and ends where a process would: at process.exit(), or when nothing is left to wait for.
//
// On the descriptor come lines of JSON, {words, env, cwd, out, err}, and go answers, {code}.
'use strict';

const fs = require('fs');
const Module = require('module');
const net = require('net');
const path = require('path');
const vm = require('vm');

const PATIENCE_MS = 5000; // for what is still open when a line has ended
const EVENTS = ['exit', 'warning', 'SIGINT', 'SIGTERM'];
const FAILURES = ['uncaughtException', 'unhandledRejection'];
const RENEWED =
  /\/node_modules\/(codefresh|codefresh-sdk|@codefresh-io|chalk|cliui|colors|debug|draftlog|ora|yargs|yargs-parser|y18n)\/(?!.*\/node_modules\/)/;
const ENDED = new Error('the command has ended');

const program = path.resolve(process.argv[2]);
const control = new net.Socket({ fd: Number(process.argv[3]) });
const printers = { ...console };
const own = { setTimeout, setInterval, setImmediate };
const addListener = process.on;
const connect = net.Socket.prototype.connect;
const compile = Module.prototype._compile;
const compiled = new Map(); // by file name: the function that is a renewed file
const open = new Set(); // what closes the timers and sockets of the line
let line = null; // the running one: its request and, once it has ended, its `code`
let asked = '';

const unended = () => {
  if (line && 'code' in line) throw ENDED; // nothing begins after the end
};

Module.prototype._compile = function (text, file) {
  if (!RENEWED.test(file)) return compile.call(this, text, file);
  if (!compiled.has(file)) {
    compiled.set(file, vm.runInThisContext(Module.wrap(text.replace(/^#!/, '//')), { filename: file }));
  }
  const load = Object.assign((id) => this.require(id), {
    resolve: (id, options) => Module._resolveFilename(id, this, false, options),
    main: process.mainModule,
    extensions: Module._extensions,
    cache: Module._cache,
  });
  return compiled.get(file).call(this.exports, this.exports, load, this, file, path.dirname(file));
};

for (const [name, clear] of Object.entries({
  setTimeout: clearTimeout,
  setInterval: clearInterval,
  setImmediate: clearImmediate,
})) {
  global[name] = (...given) => {
    unended();
    const timer = own[name](...given);
    open.add(() => clear(timer));
    return timer;
  };
  Object.defineProperties(global[name], Object.getOwnPropertyDescriptors(own[name]));
}

net.Socket.prototype.connect = function (...given) {
  unended();
  open.add(() => this.destroy());
  return connect.apply(this, given);
};

for (const [stream, file] of [
  [process.stdout, 'out'],
  [process.stderr, 'err'],
]) {
  stream.write = (chunk, ...rest) => {
    const text = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (line && !('code' in line)) fs.appendFileSync(line[file], text);
    const done = rest.find((one) => typeof one === 'function');
    if (done) process.nextTick(done);
    return true;
  };
}

process.on = (name, listener) => {
  if (name in line.failures) line.failures[name].push(listener);
  else addListener.call(process, name, listener);
  return process;
};

for (const name of FAILURES) {
  addListener.call(process, name, (error) => {
    if (!('code' in line)) attempt(() => line.failures[name].forEach((listener) => listener(error)));
  });
}

function attempt(work) {
  try {
    work();
  } catch (error) {
    if (error !== ENDED) throw error;
  }
}

process.exit = (code) => {
  if (code !== undefined && !('code' in line)) process.exitCode = code;
  end();
  throw ENDED;
};

function end() {
  if ('code' in line) return;
  process.emit('exit', process.exitCode || 0);
  line.code = process.exitCode || 0;
  for (const name of EVENTS) process.removeAllListeners(name);
  for (const close of open) close();
  line.patience = own.setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS).unref();
}

function begin(request) {
  line = { ...request, failures: Object.fromEntries(FAILURES.map((name) => [name, []])) };
  for (const file of Object.keys(require.cache)) if (RENEWED.test(file)) delete require.cache[file];
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, line.env);
  Object.assign(console, printers);
  open.clear();
  process.chdir(line.cwd);
  process.argv = [process.execPath, program, ...line.words];
  process.exitCode = undefined;
  attempt(() => Module._load(fs.realpathSync(program), null, true));
}

addListener.call(process, 'beforeExit', () => {
  if (line === null) return;
  end();
  clearTimeout(line.patience);
  control.ref();
  control.write(`${JSON.stringify({ code: line.code })}\n`);
  process.exitCode = undefined;
  line = null;
});

control.on('data', (data) => {
  asked += data;
  if (!asked.endsWith('\n')) return;
  const request = JSON.parse(asked);
  asked = '';
  control.unref();
  begin(request);
});
control.on('end', () => process.kill(process.pid, 'SIGKILL'));
