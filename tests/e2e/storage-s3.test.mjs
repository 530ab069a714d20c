// The registry's blobs in S3, the data directory as a cache: acknowledged only when they are there, read from there
// when they are not here, collected there as well.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { BatchCheckLayerAvailabilityCommand, BatchGetImageCommand, DeleteRepositoryCommand } from '@aws-sdk/client-ecr';
import { ROOT, Sampan, sleep, until } from './harness.mjs';
import { RawImages, digestOf } from './raw-images.mjs';

let directory, server, s3, sampan, images;
before(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'sampan-s3-'));
  const portFile = path.join(directory, 'port');
  server = spawn(process.execPath, [path.join(ROOT, 'tests/s3/server.mjs'), '--port-file', portFile, '--page', '3', '--fail', '11'], { stdio: 'inherit' });
  await until('the S3 server listens', () => existsSync(portFile), 20, 20);
  s3 = `http://127.0.0.1:${readFileSync(portFile, 'utf8')}`;
  sampan = await Sampan.start({
    flags: ['--collect-every', '0', '--blobs', `s3://blobs/registry?endpoint=${s3}&region=eu-test-1&part=5242880`, '--blobs-cache', '6MB'],
    daemonEnvironment: () => ({ AWS_ACCESS_KEY_ID: 'AKIATESTS3', AWS_SECRET_ACCESS_KEY: 's3-secret', AWS_SESSION_TOKEN: '' }),
  });
  images = await RawImages.of(sampan);
});
after(async () => {
  await sampan?.stop();
  server?.kill('SIGKILL');
  if (directory) rmSync(directory, { recursive: true, force: true });
});

const control = async (query = '', method = 'GET') => (await fetch(`${s3}/_control${query}`, { method })).json();
const inS3 = async () => new Set((await control()).objects.map((key) => {
  const [, algorithm, , hex] = key.split('/');
  return `${algorithm}:${hex}`;
}));

test('what a push was answered for is in S3, and a lost cache is no loss', async () => {
  await images.create('far/app');
  const layers = [randomBytes(11_000_000), randomBytes(3000)]; // the first goes up in three parts
  const digest = await images.pushImage('far/app', 'v1', layers);
  const there = await inS3();
  for (const blob of await images.pullWhole('far/app', 'v1')) assert.ok(there.has(blob), blob);
  assert.equal((await control()).uploads, 0);

  for (const blob of images.onDisk()) unlinkSync(images.file(blob));
  await sampan.kill();
  await sampan.restart();
  assert.equal((await images.pullWhole('far/app', 'v1'))[0], digest);
  const { images: [got] } = await sampan.ecr.send(new BatchGetImageCommand({ repositoryName: 'far/app', imageIds: [{ imageTag: 'v1' }] }));
  assert.equal(digestOf(got.imageManifest), digest);
  const { layers: [known] } = await sampan.ecr.send(new BatchCheckLayerAvailabilityCommand({ repositoryName: 'far/app', layerDigests: [digestOf(layers[0])] }));
  assert.deepEqual([known.layerAvailability, known.layerSize], ['AVAILABLE', layers[0].length]);
  const head = await images.v2(`far/app/blobs/${digestOf(layers[0])}`, { method: 'HEAD' });
  assert.deepEqual([head.status, Number(head.headers.get('content-length'))], [200, layers[0].length]);

  // A reader of what is not here is sent to S3, with a link that opens this blob alone and needs no key.
  const sent = await images.v2(`far/app/blobs/${digestOf(layers[0])}`, { redirect: 'manual' });
  assert.equal(sent.status, 307);
  const link = new URL(sent.headers.get('location'));
  assert.equal(link.origin, s3);
  const part = await until('S3 is not busy', async () => { const answer = await fetch(link, { headers: { range: 'bytes=5242870-5242889' } }); return answer.status === 206 && answer; });
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), layers[0].subarray(5242870, 5242890));
  link.searchParams.set('X-Amz-Expires', '600000');
  assert.notEqual((await fetch(link)).status, 200, 'a changed link opens nothing');
  const pulled = mkdtempSync(path.join(directory, 'pull-'));
  await sampan.command('skopeo', ['copy', '--quiet', '--src-tls-verify=false', '--src-creds', await sampan.registryCredentials(), `docker://${sampan.registry}/far/app:v1`, `dir:${pulled}`]);
  assert.deepEqual(readFileSync(path.join(pulled, digestOf(layers[0]).slice(7))), layers[0]);
  assert.equal(JSON.parse((await sampan.sampan('--json', 'registry', 'fsck')).stdout).damage.length, 0, 'absent here is not missing');
});

test('what was pushed before there was an S3 is sent there at the next start', async () => {
  await images.create('far/early');
  const withS3 = sampan.flags;
  await sampan.kill();
  sampan.flags = ['--collect-every', '0'];
  await sampan.restart();
  await images.pushImage('far/early', 'v1', [randomBytes(3000)]);
  await sampan.kill();
  sampan.flags = withS3;
  await sampan.restart();
  const all = await images.pullWhole('far/early', 'v1');
  await until('they are in S3', async () => { const there = await inS3(); return all.every((blob) => there.has(blob)); });
  await sampan.ecr.send(new DeleteRepositoryCommand({ repositoryName: 'far/early', force: true }));
});

test('a layer that S3 has is not sent again', async () => {
  const layer = randomBytes(2_000_000);
  await images.create('far/second');
  await images.pushImage('far/second', 'v1', [layer]);
  const { requests } = await control();
  await images.pushBlob('far/second', layer);
  assert.equal((await control()).requests, requests, 'it is known to be there');
});

test('the cache keeps its limit, collection frees both sides', async () => {
  await images.create('far/big');
  const layers = [randomBytes(4_000_000), randomBytes(4_000_000), randomBytes(4_000_000)];
  await images.pushImage('far/big', 'v1', layers);
  const done = await images.collect();
  assert.ok(done.evictedBytes >= 6_000_000, JSON.stringify(done));
  assert.ok(layers.some((layer) => !images.onDisk().has(digestOf(layer))));
  await images.pullWhole('far/big', 'v1');
  for (const name of ['far/app', 'far/second', 'far/big']) await sampan.ecr.send(new DeleteRepositoryCommand({ repositoryName: name, force: true }));
  const would = await images.collect('--grace', '0', '--dry-run');
  assert.ok(would.farBlobs >= 10, JSON.stringify(would));
  assert.ok((await inS3()).size >= 10);
  await images.collect('--grace', '0');
  assert.equal((await inS3()).size, 0);
  assert.equal(images.onDisk().size, 0);
});

test('killed in the middle of an upload in parts: nothing acknowledged, and the next collection aborts it', async () => {
  await images.create('far/cut');
  await control('?slow=1500', 'PUT');
  const layer = randomBytes(11_000_000);
  const pushing = images.sendBlob('far/cut', layer).then((answer) => answer.status, () => 'broken');
  await until('the upload is under way', async () => (await control()).uploads === 1);
  await sampan.kill();
  assert.equal(await pushing, 'broken');
  await control('?slow=0', 'PUT');
  await sampan.restart();
  assert.equal((await images.v2(`far/cut/blobs/${digestOf(layer)}`, { method: 'HEAD' })).status, 404);
  assert.equal((await control()).uploads, 1);
  await sleep(10);
  const done = await images.collect('--grace', '0');
  assert.equal(done.brokenUploads, 1);
  assert.equal((await control()).uploads, 0);
  await images.pushImage('far/cut', 'v1', [layer]);
  await images.pullWhole('far/cut', 'v1');
  assert.deepEqual(readdirSync(path.join(sampan.dataDir, 'blobs/incoming')), []);
});

test('with S3 away a push is not acknowledged, and says why', async () => {
  await images.create('far/away');
  server.kill('SIGSTOP');
  server.kill('SIGKILL');
  const answer = await images.sendBlob('far/away', randomBytes(1000));
  assert.equal(answer.status, 500);
  assert.match((await answer.json()).errors[0].message, /127\.0\.0\.1/);
});
