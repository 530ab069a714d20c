// Runs every command of docs/tour.md, in order, in one shell, and compares what comes back with what the page expects.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { BIN, ROOT, freePort } from './harness.mjs';

const read = (name) => readFileSync(path.join(ROOT, 'docs', name), 'utf8');

function blocks(markdown) {
  return [...markdown.matchAll(/```sh\n(.*?)```(?:\n\n<!-- expect: (.*?) -->)?/gs)].map((found) => ({ script: found[1], expect: found[2] }));
}

/** One bash for the whole page, so that variables live on from block to block. */
class Shell {
  constructor(env) {
    this.bash = spawn('bash', ['--noprofile', '--norc'], { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.output = '';
    for (const stream of [this.bash.stdout, this.bash.stderr]) stream.on('data', (text) => { this.output += text; this.notify?.(); });
  }

  /** The output of one block; throws when its last command fails or nothing ends within `seconds`. */
  async run(script, seconds = 240) {
    this.output = '';
    const mark = `__end_${Math.random().toString(36).slice(2)}__`;
    this.bash.stdin.write(`${script}\necho "${mark} $?"\n`);
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no end after ${seconds} s:\n${script}\n${this.output}`)), seconds * 1000);
      this.notify = () => {
        if (!new RegExp(`${mark} \\d+`).test(this.output)) return;
        clearTimeout(timer);
        resolve();
      };
    });
    const [, output, code] = new RegExp(`^(.*?)${mark} (\\d+)`, 's').exec(this.output);
    assert.equal(code, '0', `${script}\n${output}`);
    return output.trim();
  }
}

test('the commands of the tour give what the page says', { timeout: 900_000 }, async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'sampan-tour-'));
  const [port, front] = [await freePort(), await freePort()];
  const places = `--data-dir ${directory}/data --run-dir ${directory}/run`;
  // Debian's aws, where an older one stands before it in PATH.
  const env = { ...process.env, PATH: `/usr/bin:${process.env.PATH}`, HOME: directory, AWS_CONFIG_FILE: `${directory}/config`, AWS_SHARED_CREDENTIALS_FILE: `${directory}/credentials` };
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'SAMPAN_ENDPOINT']) delete env[name];
  const shell = new Shell(env);
  // The page uses the places and ports of a first installation; here they are this test's own.
  const own = (script) => script
    .replaceAll('$PWD/build/release/bin', BIN)
    .replaceAll('127.0.0.1:4566', `127.0.0.1:${port}`)
    .replaceAll('/tmp/hello-task.json', `${directory}/hello-task.json`)
    .replaceAll('8090', String(front));
  try {
    await shell.run(`sampan() { command sampan --endpoint http://127.0.0.1:${port} ${places} "$@"; }`);
    for (const { script, expect } of blocks(read('tour.md'))) {
      const text = own(script).replace(/^sampan up$/m, `sampan up --listen 127.0.0.1:${port} --vpc-cidr 10.99.0.0/19`);
      const output = await shell.run(text);
      if (expect) assert.match(output, new RegExp(expect.trim(), 'm'), script);
    }
    assert.throws(() => execFileSync('ls', [`${directory}/data`], { stdio: 'ignore' }), 'purged');
  } finally {
    await shell.run(`sampan down --purge || true`).catch(() => {});
    shell.bash.stdin.end();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('the Vietnamese page has the same commands', () => {
  assert.ok(blocks(read('tour.md')).length > 10);
  assert.deepEqual(blocks(read('tour.vi.md')), blocks(read('tour.md')));
});
