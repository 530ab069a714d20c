// The registry's storage: collection, damage found and healed, quotas.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  BatchCheckLayerAvailabilityCommand, BatchDeleteImageCommand, CompleteLayerUploadCommand, DeleteRepositoryCommand, InitiateLayerUploadCommand,
  PutImageCommand, UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import { BIN, Sampan } from './harness.mjs';
import { RawImages, digestOf } from './raw-images.mjs';

let sampan, images;
before(async () => {
  sampan = await Sampan.start({ flags: ['--collect-every', '0'] });
  images = await RawImages.of(sampan);
});
after(async () => { await sampan?.stop(); });

const remove = (name) => sampan.ecr.send(new DeleteRepositoryCommand({ repositoryName: name, force: true }));

test('collection takes what no image needs, and nothing else', async () => {
  await images.create('gc/a');
  await images.create('gc/b');
  const [shared, own, loose] = [randomBytes(3000), randomBytes(4000), randomBytes(5000)];
  const first = await images.pushImage('gc/a', 'one', [shared, own]);
  await images.pushImage('gc/b', 'two', [shared]);
  await images.pushBlob('gc/a', loose);
  assert.equal((await images.collect()).blobs, 0, 'the grace of a day');
  const before = images.onDisk();
  const would = await images.collect('--grace', '0', '--dry-run');
  assert.deepEqual([would.blobs, would.bytes, would.links], [1, 5000, 1]);
  assert.deepEqual(images.onDisk(), before);

  await sampan.ecr.send(new BatchDeleteImageCommand({ repositoryName: 'gc/a', imageIds: [{ imageDigest: first }] }));
  const said = (await sampan.sampan('registry', 'collect', '--grace', '0')).stdout;
  assert.match(said, /^freed 4 blobs/); // the loose layer; manifest, configuration and own layer of the first image
  const left = images.onDisk();
  assert.ok(left.has(digestOf(shared)));
  assert.ok(!left.has(digestOf(own)) && !left.has(digestOf(loose)));
  await images.pullWhole('gc/b', 'two');
  const { layers } = await sampan.ecr.send(new BatchCheckLayerAvailabilityCommand({ repositoryName: 'gc/a', layerDigests: [digestOf(own)] }));
  assert.equal(layers[0].layerAvailability, 'UNAVAILABLE');
  assert.equal(await images.pushImage('gc/a', 'one', [shared, own]), first);
  await images.pullWhole('gc/a', 'one');

  for (const name of ['gc/a', 'gc/b']) await remove(name);
  await images.collect('--grace', '0');
  assert.equal(images.onDisk().size, 0);
});

test('collection without a pause beside pushes, pulls and deletions', async () => {
  const names = ['busy/a', 'busy/b', 'busy/c'];
  for (const name of names) await images.create(name);
  const layers = Array.from({ length: 6 }, () => randomBytes(20_000));
  const end = Date.now() + 4000;
  let pushes = 0, passes = 0;
  const collecting = (async () => {
    while (Date.now() < end) { await images.collect('--grace', '20s'); await images.collect('--grace', '0', '--dry-run'); ++passes; }
  })();
  await Promise.all(names.map(async (name, at) => {
    for (let n = 0; Date.now() < end; ++n) {
      const chosen = layers.filter((_, i) => (n + i * at) % 3 !== 0);
      const digest = await images.pushImage(name, 'latest', chosen);
      assert.equal((await images.pullWhole(name, 'latest'))[0], digest);
      await sampan.ecr.send(new BatchDeleteImageCommand({ repositoryName: name, imageIds: [{ imageDigest: digest }] }));
      ++pushes;
    }
  }));
  await collecting;
  assert.ok(pushes > 3 && passes > 0, `${pushes} pushes, ${passes} passes`);
  for (const name of names) await remove(name);
  await images.collect('--grace', '0');
  assert.equal(images.onDisk().size, 0);
});

test('collection is the operator’s, and refuses nonsense', async () => {
  await assert.rejects(sampan.sampan('registry', 'collect', '--grace', 'soon'), (error) => error.code === 2 && /--grace takes/.test(error.stderr));
  const unsigned = await fetch(`${sampan.endpoint}/sampan/v1/registry/collect`, { method: 'POST' });
  assert.equal(unsigned.status, 400);
  assert.equal((await unsigned.json()).code, 'MissingAuthenticationTokenException');
});

test('fsck finds flipped bits, cut files and lost ones, says whose they are, and a push heals them', async () => {
  await images.create('sick/app');
  await images.create('sick/well');
  const layers = [randomBytes(300_000), randomBytes(2000), randomBytes(1000)];
  const digest = await images.pushImage('sick/app', 'v1', layers);
  await images.pushImage('sick/well', 'v1', [randomBytes(500)]);
  const check = (...flags) => sampan.sampan('--json', 'registry', 'fsck', ...flags)
    .then(({ stdout }) => ({ code: 0, ...JSON.parse(stdout) }), (error) => ({ code: error.code, ...JSON.parse(error.stdout) }));
  const whole = await check();
  assert.deepEqual([whole.code, whole.damage.length, whole.blobs, whole.unnamed], [0, 0, 8, 0]);

  const bytes = readFileSync(images.file(digestOf(layers[0])));
  bytes[123_456] ^= 0x10;
  writeFileSync(images.file(digestOf(layers[0])), bytes);
  truncateSync(images.file(digestOf(layers[1])), 1999);
  unlinkSync(images.file(digestOf(layers[2])));
  const found = await check();
  assert.equal(found.code, 1);
  const by = Object.fromEntries(found.damage.map((each) => [each.blob, each]));
  assert.deepEqual(layers.map((layer) => by[digestOf(layer)].what), ['differs', 'cut short', 'missing']);
  assert.equal(by[digestOf(layers[1])].detail, '1999 bytes instead of 2000');
  for (const each of found.damage) assert.deepEqual(each.images, [`000000000000/us-east-1/sick/app@${digest} (tags v1)`]);

  const said = await sampan.sampan('registry', 'fsck', '--repair').catch((error) => error);
  assert.equal(said.code, 1);
  assert.match(said.stdout, /differs sha256:.*set aside: push it again/);
  assert.equal((await images.v2(`sick/app/blobs/${digestOf(layers[0])}`, { method: 'HEAD' })).status, 404, 'a damaged blob is not served');
  assert.equal(await images.pushImage('sick/app', 'v1', layers), digest);
  await images.pullWhole('sick/app', 'v1');
  assert.equal((await check()).code, 0);

  // The same without a daemon.
  const offline = () => sampan.command(path.join(BIN, 'sampand'), ['fsck', '--data-dir', sampan.dataDir, '--run-dir', sampan.runDir]).then((done) => ({ code: 0, ...done }), (error) => error);
  assert.equal((await offline()).code, 2, 'the daemon runs');
  await sampan.kill();
  assert.equal((await offline()).code, 0);
  bytes[1] ^= 1;
  writeFileSync(images.file(digestOf(layers[0])), bytes);
  const broken = await offline();
  assert.equal(broken.code, 1);
  assert.match(broken.stdout, /^differs sha256:/);
  await sampan.restart();
  for (const name of ['sick/app', 'sick/well']) await remove(name);
});

test('quotas: bytes counted once a repository, images, and both doors say no in their own words', async () => {
  await images.create('small/app');
  const [shared, big] = [randomBytes(40_000), randomBytes(70_000)];
  await images.pushImage('small/app', 'one', [shared]);
  const set = async (...flags) => JSON.parse((await sampan.sampan('--json', 'registry', 'quota', ...flags)).stdout);
  const listed = await set('small/app', '--bytes', '100kB', '--images', '2');
  const own = listed.find((each) => each.name === 'small/app');
  assert.deepEqual([own.bytes, own.images, own.used.images], [100_000, 2, 1]);
  assert.ok(own.used.bytes > 40_000 && own.used.bytes < 41_000);

  const refused = await images.sendBlob('small/app', big);
  assert.equal(refused.status, 403);
  const { errors: [{ code, message }] } = await refused.json();
  assert.equal(code, 'DENIED');
  assert.match(message, /would exceed its quota of 100000 bytes/);
  const ecr = { repositoryName: 'small/app' };
  const { uploadId } = await sampan.ecr.send(new InitiateLayerUploadCommand(ecr));
  await sampan.ecr.send(new UploadLayerPartCommand({ ...ecr, uploadId, partFirstByte: 0, partLastByte: big.length - 1, layerPartBlob: big }));
  await assert.rejects(sampan.ecr.send(new CompleteLayerUploadCommand({ ...ecr, uploadId, layerDigests: [digestOf(big)] })), { name: 'LimitExceededException' });

  await images.pushImage('small/app', 'two', [shared, randomBytes(1000)]); // what it has already counts once
  const third = await images.prepare('small/app', [shared, randomBytes(2000)]);
  const full = await images.sendManifest('small/app', 'three', third);
  assert.equal(full.status, 403);
  assert.match((await full.json()).errors[0].message, /already has the maximum allowed number of images which is '2'/);
  await assert.rejects(sampan.ecr.send(new PutImageCommand({ ...ecr, imageManifest: third, imageTag: 'three' })), { name: 'LimitExceededException' });
  await set('small/app', '--images', 'none', '--bytes', 'none');
  assert.equal((await images.sendManifest('small/app', 'three', third)).status, 201);

  await set('--repositories', '1');
  await assert.rejects(images.create('one/more'), { name: 'LimitExceededException' });
  await set('--bytes', '50kB');
  assert.equal((await images.sendBlob('small/app', big)).status, 403);
  await sampan.kill();
  await sampan.restart();
  assert.equal((await images.sendBlob('small/app', big)).status, 403, 'quotas are kept');
  await set('--bytes', 'none');
  assert.equal((await images.sendBlob('small/app', big)).status, 201);
  await assert.rejects(sampan.sampan('registry', 'quota', '--bytes', 'much'), (error) => error.code === 2);
  await remove('small/app');
});
