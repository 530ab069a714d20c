// The registry beside docker-registry: 1 GiB pushed and pulled, 8 pulls at once, manifests put and got, memory under
// many pushes; and a start with 100,000 images.
//
// Every round starts both with nothing, in turns, and measures what this machine's core and disk do by themselves;
// each figure is the median of the rounds.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DescribeImagesCommand, ECRClient, GetAuthorizationTokenCommand, ListImagesCommand } from '@aws-sdk/client-ecr';
import { BIN } from '../tests/e2e/harness.mjs';
import { Report, exec, freePort, installed, p50, p95, residentMegabytes, sleep, timed } from './lib.mjs';
import { Registry, diskWrite, makeBlob, oneCoreSha } from './registry_lib.mjs';

const ROUNDS = 3;
const IMAGES = 100_000;
const TAGS = 1_000_000;
const directory = mkdtempSync(path.join(tmpdir(), 'sampan-registry-bench-'));
const report = new Report('registry');
const file = path.join(directory, 'blob');
const small = path.join(directory, 'small');
const configFile = path.join(directory, 'config.json');

const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
const configDigest = `sha256:${createHash('sha256').update(config).digest('hex')}`;

async function measure(registry, digests) {
  const out = {};
  out.push = await registry.push(file, digests.large);
  await registry.pull(digests.large);
  out.pull = p50([await registry.pull(digests.large), await registry.pull(digests.large), await registry.pull(digests.large)]);
  out.pull8 = await registry.pull(digests.large, 8);
  await registry.push(configFile, configDigest);
  out.puts = await registry.putManifests({ digest: configDigest, size: config.length }, 2);
  out.gets = await registry.getManifests(2);
  return out;
}

async function measureMemory(registry, digests) {
  registry.resetPeak();
  await registry.push(small, digests.small, 50);
  return registry.peakMegabytes();
}

const makers = { ours: () => Registry.sampan(), theirs: () => Registry.docker(directory) };
if (!installed('docker-registry')) delete makers.theirs;

async function rounds(digests) {
  const seen = { ours: [], theirs: [], sha: [], disk: [], memory: [], theirMemory: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    seen.sha.push(await oneCoreSha());
    seen.disk.push(diskWrite(file, directory));
    const order = Object.keys(makers);
    if (round % 2) order.reverse();
    for (const who of order) {
      const registry = await makers[who]();
      try {
        seen[who].push(await measure(registry, digests));
        if (round === 0) seen[who === 'ours' ? 'memory' : 'theirMemory'].push(await measureMemory(registry, digests));
      } finally {
        await registry.stop();
      }
    }
  }
  return seen;
}

function reportRounds(seen) {
  const ours = (key) => p50(seen.ours.map((round) => round[key]));
  const peer = (key) => ({ name: 'docker-registry', value: seen.theirs.length ? p50(seen.theirs.map((round) => round[key])) : undefined });
  report.add('push of 1 GiB', 'MB/s', ours('push'), peer('push'), { atLeast: 4 });
  const sha = p50(seen.sha);
  const disk = p50(seen.disk);
  const limit = disk < sha ? { name: "the disk's own write", value: disk } : { name: "one core's SHA-256", value: sha };
  report.add('the same, beside the slower of disk and SHA-256', 'MB/s', ours('push'), limit, { atLeast: 0.75 });
  report.add('pull of 1 GiB', 'MB/s', ours('pull'), peer('pull'), { atLeast: 1.3 });
  report.add('8 pulls of 1 GiB at once', 'MB/s', ours('pull8'), peer('pull8'), { atLeast: 1.3 });
  report.add('manifests put, 8 connections', 'puts/s', ours('puts'), peer('puts'), { atLeast: 10 });
  report.add('manifests got, 8 connections', 'gets/s', ours('gets'), peer('gets'), { atLeast: 10 });
  report.add('most resident memory, 50 pushes of 100 MB at once', 'MB', seen.memory[0], undefined, { atMost: 100 });
  if (seen.theirMemory.length) report.note(`docker-registry's most resident memory under the same 50 pushes: ${Math.round(seen.theirMemory[0])} MB.`);
  report.note(`Medians of ${ROUNDS} rounds; one core's SHA-256 ${Math.round(sha)} MB/s, one stream to the disk ${Math.round(disk)} MB/s.`);
}

/** An instance with many images: the rows that their pushes would have left, written through the store. */
class Large {
  constructor() {
    this.directory = mkdtempSync(path.join(tmpdir(), 'sampan-large-'));
    this.data = path.join(this.directory, 'data');
    this.places = ['--data-dir', this.data, '--run-dir', path.join(this.directory, 'run')];
  }

  async start() {
    this.port = await freePort();
    this.endpoint = `http://127.0.0.1:${this.port}`;
    return timed(async () => {
      this.child = spawn(path.join(BIN, 'sampand'), [...this.places, '--listen', `127.0.0.1:${this.port}`, '--vpc-cidr', '10.241.0.0/19', '--log-level', 'warn'], { stdio: 'ignore' });
      this.gone = new Promise((resolve) => this.child.on('exit', resolve));
      for (;;) {
        try {
          if ((await fetch(`${this.endpoint}/health`)).ok) return;
        } catch { /* not yet */ }
        await sleep(1);
      }
    });
  }

  async end() {
    this.child?.kill('SIGTERM');
    await this.gone;
  }

  fill() {
    return exec(path.join(BIN, 'bench_registry_data'), [path.join(this.data, 'state.db'), IMAGES, TAGS, 101].map(String));
  }

  async login() {
    const text = readFileSync(path.join(this.data, 'credentials'), 'utf8');
    this.ecr = new ECRClient({
      endpoint: this.endpoint, region: 'us-east-1', maxAttempts: 1,
      credentials: { accessKeyId: /aws_access_key_id\s*=\s*(\S+)/.exec(text)[1], secretAccessKey: /aws_secret_access_key\s*=\s*(\S+)/.exec(text)[1] },
    });
    const { authorizationData } = await this.ecr.send(new GetAuthorizationTokenCommand({}));
    this.auth = { Authorization: `Basic ${authorizationData[0].authorizationToken}` };
  }

  /** The milliseconds of each page but the first, which opens the connection. */
  async pages(count, next) {
    const taken = [];
    let at;
    for (let page = 0; page <= count; page += 1) taken.push(await timed(async () => { at = await next(at); }));
    return taken.slice(1);
  }

  tagPages() {
    return this.pages(100, async (last) => {
      const answer = await fetch(`${this.endpoint}/v2/large/tags/list?n=100${last ? `&last=${encodeURIComponent(last)}` : ''}`, { headers: this.auth });
      const { tags } = await answer.json();
      if (tags.length !== 100) throw new Error(`a page of ${tags.length} tags`);
      return tags.at(-1);
    });
  }

  apiPages(Command) {
    return this.pages(100, async (nextToken) => (await this.ecr.send(new Command({ repositoryName: 'large', maxResults: 100, nextToken }))).nextToken);
  }

  async remove() {
    await this.end();
    await exec(path.join(BIN, 'sampan'), [...this.places, 'down', '--purge']);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function measureLarge() {
  const large = new Large();
  try {
    await large.start();
    await large.end();
    await large.fill();
    const starts = [];
    for (let round = 0; round < 5; round += 1) {
      starts.push(await large.start());
      if (round < 4) await large.end();
    }
    const resident = residentMegabytes(large.child.pid);
    await large.login();
    const name = `${IMAGES.toLocaleString('en')} images with ${TAGS.toLocaleString('en')} tags`;
    report.add(`start to /health ok with ${name}, p50 of 5`, 'ms', p50(starts), undefined, { atMost: 1000 });
    report.add('there: a page of 100 tags of 500,000, p95', 'ms', p95(await large.tagPages()), undefined, { atMost: 10 });
    report.add('there: ListImages, a page of 100, p95', 'ms', p95(await large.apiPages(ListImagesCommand)), undefined, { atMost: 10 });
    report.add('there: DescribeImages, a page of 100, p95', 'ms', p95(await large.apiPages(DescribeImagesCommand)), undefined, { atMost: 10 });
    report.add('there: resident memory after the start', 'MB', resident);
  } finally {
    await large.remove();
  }
}

try {
  const digests = { large: makeBlob(file, 1 << 30), small: makeBlob(small, 100_000_000) };
  writeFileSync(configFile, config);
  reportRounds(await rounds(digests));
  await measureLarge();
  report.write();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
