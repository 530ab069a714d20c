// kill -9 at any write of a push, a deletion or a collection: no image that was acknowledged is incomplete afterwards,
// and what is left over goes with the next collection.
//
// The daemon runs with tests/crash/kill_at.cpp preloaded, which counts its writes, renames, removals and flushes under the
// data directory and ends it at the N-th. Each round does the same work and dies at another N. CRASH_ROUNDS says how many
// rounds (0: every N there is), CRASH_SEED which.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { BatchDeleteImageCommand, ListImagesCommand } from '@aws-sdk/client-ecr';
import { ROOT, Sampan, sleep } from './harness.mjs';
import { RawImages } from './raw-images.mjs';

const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 1e6));
const rounds = Number(process.env.CRASH_ROUNDS ?? 18);
const LONGEST_MS = 40_000; // on a slow machine fewer rounds are made
let directory, counter, sampan, images;

before(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'sampan-crash-'));
  const library = path.join(directory, 'kill_at.so');
  execFileSync('clang++-19', ['-shared', '-fPIC', '-O1', '-o', library, path.join(ROOT, 'tests/crash/kill_at.cpp')]);
  const file = path.join(directory, 'counter');
  writeFileSync(file, Buffer.alloc(16));
  counter = openSync(file, 'r+');
  sampan = await Sampan.start({
    flags: ['--collect-every', '0', '--log-level', 'warn'],
    daemonEnvironment: (self) => ({ LD_PRELOAD: library, KILL_AT: file, KILL_UNDER: self.dataDir }),
  });
  images = await RawImages.of(sampan);
  await images.create('app');
});
after(async () => {
  await sampan?.stop();
  if (counter !== undefined) closeSync(counter);
  if (directory) rmSync(directory, { recursive: true, force: true });
});

function dieAt(n) {
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64LE(BigInt(n), 8);
  writeSync(counter, numbers, 0, 16, 0);
}
const counted = () => Number(readFileSync(path.join(directory, 'counter')).readBigUInt64LE(0));

const acknowledged = new Set(); // digests of images that must be whole
const doubtful = new Set(); // those of them whose deletion was not answered
const shared = randomBytes(9000);

/** A push, a deletion and a collection. Throws where the daemon dies. */
async function work(name) {
  const [oldest] = acknowledged;
  acknowledged.add(await images.pushImage('app', name, [shared, randomBytes(700_000), randomBytes(100)]));
  if (oldest) {
    doubtful.add(oldest);
    await sampan.ecr.send(new BatchDeleteImageCommand({ repositoryName: 'app', imageIds: [{ imageDigest: oldest }] }));
    acknowledged.delete(oldest);
    doubtful.delete(oldest);
  }
  await images.collect('--grace', '0');
}

async function check(what) {
  const { imageIds } = await sampan.ecr.send(new ListImagesCommand({ repositoryName: 'app' }));
  const there = new Set(imageIds.map((id) => id.imageDigest));
  for (const digest of acknowledged) assert.ok(there.has(digest) || doubtful.has(digest), `${what}: the acknowledged image ${digest} is gone`);
  await images.collect('--grace', '0');
  const needed = new Set();
  for (const digest of there) for (const each of await images.pullWhole('app', digest)) needed.add(each);
  assert.deepEqual([...images.onDisk()].sort(), [...needed].sort(), `${what}: what is on the disk is what rows name`);
  assert.deepEqual(readdirSync(path.join(sampan.dataDir, 'blobs/incoming')), [], what);
  doubtful.clear();
  acknowledged.clear();
  for (const digest of there) acknowledged.add(digest);
}

test(`a daemon killed at any of its writes (seed ${seed})`, { timeout: 900_000 }, async (context) => {
  await work('first');
  dieAt(0);
  await work('counted');
  const all = counted();
  assert.ok(all > 20, `only ${all} writes were seen: the preloaded counter does not work`);
  let random = seed;
  const draw = () => { random = (random * 1103515245 + 12345) % 2147483648; return random; };
  const points = Array.from({ length: all }, (_, i) => ({ at: i + 1, order: rounds === 0 ? i : draw() })).sort((a, b) => a.order - b.order);
  const end = rounds === 0 ? Infinity : Date.now() + LONGEST_MS;
  let died = 0;
  for (const { at } of rounds === 0 ? points : points.slice(0, rounds)) {
    if (Date.now() > end) break;
    dieAt(at);
    try {
      await work(`at-${at}`);
    } catch (error) {
      await Promise.race([sampan.exit, sleep(5000)]);
      assert.ok(sampan.ended, `the work failed, but the daemon lives: ${error.stack}\n${error.stderr ?? ''}\n${sampan.log}`);
    }
    dieAt(0);
    if (sampan.ended) {
      ++died;
      assert.equal(sampan.ended.signal, 'SIGKILL', sampan.log);
      await sampan.restart();
    }
    await check(`killed at ${at} of ${all}`);
  }
  context.diagnostic(`${died} deaths among ${all} points, seed ${seed}`);
  assert.ok(died > 1, `${died} deaths`);
});
