// ECR and the registry beneath it: skopeo, the AWS SDK, and raw HTTP for what well-behaved clients never send.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  BatchDeleteImageCommand, BatchGetImageCommand, CreateRepositoryCommand, DeleteRepositoryCommand, DescribeImagesCommand,
  DescribeRepositoriesCommand, GetAuthorizationTokenCommand, ListImagesCommand, PutImageCommand,
} from '@aws-sdk/client-ecr';
import { Sampan, busyboxLayout } from './harness.mjs';

let sampan, auth;
before(async () => {
  sampan = await Sampan.start();
  auth = { authorization: `Basic ${Buffer.from(await sampan.registryCredentials()).toString('base64')}` };
  await sampan.pushBusybox('base');
  await sampan.ecr.send(new CreateRepositoryCommand({ repositoryName: 'raw' }));
});
after(async () => { await sampan?.stop(); });

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const v2 = (target, options = {}) => fetch(`${sampan.endpoint}/v2/${target}`, { ...options, headers: { ...auth, ...options.headers } });
const codeOf = async (answer) => (await answer.json()).errors[0].code;

async function upload(repository, bytes, { digest = digestOf(bytes) } = {}) {
  const started = await v2(`${repository}/blobs/uploads/`, { method: 'POST' });
  assert.equal(started.status, 202);
  const location = new URL(started.headers.get('location'), sampan.endpoint);
  location.searchParams.set('digest', digest);
  return fetch(location, { method: 'PUT', headers: { ...auth, 'content-type': 'application/octet-stream' }, body: bytes });
}

test('repositories: made, described, refused twice, deleted only when empty or forced', async () => {
  const { repository } = await sampan.ecr.send(new CreateRepositoryCommand({ repositoryName: 'team/app' }));
  assert.equal(repository.repositoryUri, `localhost:${sampan.port}/team/app`);
  assert.equal(repository.repositoryArn, 'arn:aws:ecr:us-east-1:000000000000:repository/team/app');
  await assert.rejects(sampan.ecr.send(new CreateRepositoryCommand({ repositoryName: 'team/app' })), {
    name: 'RepositoryAlreadyExistsException',
    message: "The repository with name 'team/app' already exists in the registry with id '000000000000'",
  });
  await assert.rejects(sampan.ecr.send(new CreateRepositoryCommand({ repositoryName: 'Bad' })), { name: 'InvalidParameterException' });
  await assert.rejects(sampan.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ['absent'] })), { name: 'RepositoryNotFoundException' });
  await assert.rejects(sampan.ecr.send(new DeleteRepositoryCommand({ repositoryName: 'base' })), { name: 'RepositoryNotEmptyException' });
  await sampan.ecr.send(new DeleteRepositoryCommand({ repositoryName: 'team/app' }));
});

test('what skopeo pushes, it pulls again with the same digest', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'sampan-pull-'));
  const creds = await sampan.registryCredentials();
  await sampan.command('skopeo', ['copy', '--quiet', '--src-tls-verify=false', '--src-creds', creds, `docker://${sampan.registry}/base:latest`, `oci:${directory}:x`]);
  const inspect = async (name) => JSON.parse((await sampan.command('skopeo', ['inspect', name])).stdout).Digest;
  assert.equal(await inspect(`oci:${directory}:x`), await inspect(`oci:${busyboxLayout()}:latest`));
  rmSync(directory, { recursive: true, force: true });
  const { imageDetails } = await sampan.ecr.send(new DescribeImagesCommand({ repositoryName: 'base' }));
  assert.deepEqual(imageDetails[0].imageTags, ['latest']);
  assert.ok(imageDetails[0].imageSizeInBytes > 100_000);
});

test('docker’s own manifest format is taken and given back as it came', async () => {
  await sampan.ecr.send(new CreateRepositoryCommand({ repositoryName: 'v2s2' }));
  const creds = await sampan.registryCredentials();
  await sampan.command('skopeo', ['copy', '--quiet', '--format', 'v2s2', '--dest-tls-verify=false', '--dest-creds', creds, `oci:${busyboxLayout()}:latest`, `docker://${sampan.registry}/v2s2:1`]);
  const { images } = await sampan.ecr.send(new BatchGetImageCommand({ repositoryName: 'v2s2', imageIds: [{ imageTag: '1' }] }));
  assert.equal(images[0].imageManifestMediaType, 'application/vnd.docker.distribution.manifest.v2+json');
  assert.equal(digestOf(images[0].imageManifest), images[0].imageId.imageDigest);
});

test('images: put again under another tag, listed, deleted tag by tag', async () => {
  const { images: [{ imageManifest, imageId }] } = await sampan.ecr.send(new BatchGetImageCommand({ repositoryName: 'base', imageIds: [{ imageTag: 'latest' }] }));
  await sampan.ecr.send(new PutImageCommand({ repositoryName: 'base', imageManifest, imageTag: 'again' }));
  await assert.rejects(sampan.ecr.send(new PutImageCommand({ repositoryName: 'base', imageManifest, imageTag: 'again' })), { name: 'ImageAlreadyExistsException' });
  const { imageIds } = await sampan.ecr.send(new ListImagesCommand({ repositoryName: 'base' }));
  assert.deepEqual(imageIds.map((id) => id.imageTag).sort(), ['again', 'latest']);
  const gone = await sampan.ecr.send(new BatchDeleteImageCommand({ repositoryName: 'base', imageIds: [{ imageTag: 'again' }, { imageTag: 'never' }] }));
  assert.equal(gone.imageIds[0].imageTag, 'again');
  assert.equal(gone.failures[0].failureCode, 'ImageNotFound');
  assert.equal((await v2(`base/manifests/${imageId.imageDigest}`, { method: 'HEAD' })).status, 200);
});

test('an immutable tag cannot be moved by a push', async () => {
  await sampan.ecr.send(new CreateRepositoryCommand({ repositoryName: 'fixed', imageTagMutability: 'IMMUTABLE' }));
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  assert.equal((await upload('fixed', config)).status, 201);
  const put = (n) => v2('fixed/manifests/one', {
    method: 'PUT', headers: { 'content-type': MANIFEST },
    body: JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length }, layers: [], annotations: { n } }),
  });
  assert.equal((await put('1')).status, 201);
  const refused = await put('2');
  assert.equal(refused.status, 400);
  const { errors } = await refused.json();
  assert.equal(errors[0].code, 'TAG_INVALID');
  assert.equal(errors[0].message, "The image tag 'one' already exists in the 'fixed' repository and cannot be overwritten because the tag is immutable.");
});

test('no credentials, wrong ones, and another repository’s blob', async () => {
  const bare = await fetch(`${sampan.endpoint}/v2/`);
  assert.equal(bare.status, 401);
  assert.match(bare.headers.get('www-authenticate'), /^Basic |^Bearer /);
  assert.equal((await fetch(`${sampan.endpoint}/v2/`, { headers: { authorization: `Basic ${btoa('AWS:nonsense')}` } })).status, 401);
  assert.equal((await v2('')).status, 200);
  const { authorizationData } = await sampan.ecr.send(new GetAuthorizationTokenCommand({}));
  assert.ok(authorizationData[0].expiresAt - Date.now() > 11 * 3600_000);
  const secret = randomBytes(1000);
  assert.equal((await upload('raw', secret)).status, 201);
  assert.equal((await v2(`raw/blobs/${digestOf(secret)}`)).status, 200);
  assert.equal((await v2(`base/blobs/${digestOf(secret)}`)).status, 404);
  const absent = await v2('absent/blobs/uploads/', { method: 'POST' });
  assert.equal(absent.status, 404);
  assert.equal(await codeOf(absent), 'NAME_UNKNOWN');
});

test('blobs: ranges, chunks in order, out of order, mounts', async () => {
  const bytes = randomBytes(300_000);
  const digest = digestOf(bytes);
  const started = await v2('raw/blobs/uploads/', { method: 'POST' });
  let location = new URL(started.headers.get('location'), sampan.endpoint);
  const patch = (from, to) => fetch(location, {
    method: 'PATCH', body: bytes.subarray(from, to), headers: { ...auth, 'content-type': 'application/octet-stream', 'content-range': `${from}-${to - 1}` },
  });
  const first = await patch(0, 100_000);
  assert.equal(first.status, 202);
  assert.equal(first.headers.get('range'), '0-99999');
  location = new URL(first.headers.get('location'), sampan.endpoint);
  assert.equal((await patch(200_000, 300_000)).status, 416);
  const second = await patch(100_000, 300_000);
  assert.equal(second.status, 202);
  location = new URL(second.headers.get('location'), sampan.endpoint);
  location.searchParams.set('digest', digest);
  assert.equal((await fetch(location, { method: 'PUT', headers: auth })).status, 201);
  const part = await v2(`raw/blobs/${digest}`, { headers: { range: 'bytes=10-19' } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), 'bytes 10-19/300000');
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(10, 20));
  assert.equal((await v2(`raw/blobs/${digest}`, { headers: { range: 'bytes=400000-' } })).status, 416);
  const mounted = await v2(`base/blobs/uploads/?mount=${digest}&from=raw`, { method: 'POST' });
  assert.equal(mounted.status, 201);
  assert.equal((await v2(`base/blobs/${digest}`, { method: 'HEAD' })).status, 200);
});

test('a wrong digest and a truncated upload leave nothing', async () => {
  const bytes = randomBytes(5000);
  const wrong = await upload('raw', bytes, { digest: digestOf('other') });
  assert.equal(wrong.status, 400);
  assert.equal(await codeOf(wrong), 'DIGEST_INVALID');
  assert.equal((await v2(`raw/blobs/${digestOf(bytes)}`, { method: 'HEAD' })).status, 404);
  const started = await v2('raw/blobs/uploads/', { method: 'POST' });
  const location = new URL(started.headers.get('location'), sampan.endpoint);
  location.searchParams.set('digest', digestOf(bytes));
  await new Promise((resolve) => {
    const socket = net.connect(sampan.port, '127.0.0.1', () => {
      socket.write(`PUT ${location.pathname}${location.search} HTTP/1.1\r\nHost: x\r\nAuthorization: ${auth.authorization}\r\nContent-Length: 5000\r\n\r\n`);
      socket.write(bytes.subarray(0, 2000), () => socket.destroy());
    });
    socket.on('close', resolve);
  });
  assert.equal((await v2(`raw/blobs/${digestOf(bytes)}`, { method: 'HEAD' })).status, 404);
  assert.equal((await upload('raw', bytes)).status, 201, 'the whole of it is taken afterwards');
});

test('a manifest that names absent blobs, and one that is none', async () => {
  const missing = digestOf('never uploaded');
  const answer = await v2('raw/manifests/x', {
    method: 'PUT', headers: { 'content-type': MANIFEST },
    body: JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: missing, size: 3 }, layers: [] }),
  });
  assert.equal(answer.status, 400);
  assert.match(await codeOf(answer), /MANIFEST_BLOB_UNKNOWN|BLOB_UNKNOWN/);
  for (const body of ['{', '[]', '{"schemaVersion":2}', 'x'.repeat(5 << 20)]) {
    const refused = await v2('raw/manifests/x', { method: 'PUT', headers: { 'content-type': MANIFEST }, body });
    assert.ok([400, 413].includes(refused.status), `${refused.status} for ${body.slice(0, 20)}`);
  }
  const none = await v2('raw/manifests/x');
  assert.equal(none.status, 404);
  assert.equal(await codeOf(none), 'MANIFEST_UNKNOWN');
});

test('tag lists are paged', async () => {
  const { images: [{ imageManifest }] } = await sampan.ecr.send(new BatchGetImageCommand({ repositoryName: 'base', imageIds: [{ imageTag: 'latest' }] }));
  for (const tag of ['a', 'b', 'c']) await sampan.ecr.send(new PutImageCommand({ repositoryName: 'base', imageManifest, imageTag: tag }));
  const first = await v2('base/tags/list?n=2');
  assert.deepEqual((await first.json()).tags, ['a', 'b']);
  const next = /<([^>]+)>; *rel="next"/.exec(first.headers.get('link'))[1];
  const second = await fetch(new URL(next, sampan.endpoint), { headers: auth });
  assert.deepEqual((await second.json()).tags, ['c', 'latest']);
});
