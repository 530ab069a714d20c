// The OCI distribution specification 1.1, clause by clause, by raw HTTP: what each MUST (and the SHOULDs that clients rely on) asks.
// Section names are the specification's.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr';
import { Sampan } from './harness.mjs';

let sampan, auth;
before(async () => {
  sampan = await Sampan.start();
  auth = { authorization: `Basic ${Buffer.from(await sampan.registryCredentials()).toString('base64')}` };
  for (const repositoryName of ['conf/one', 'conf/two', 'conf/tags', 'conf/refs']) await sampan.ecr.send(new CreateRepositoryCommand({ repositoryName }));
});
after(async () => { await sampan?.stop(); });

const TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json', index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json', layer: 'application/vnd.oci.image.layer.v1.tar+gzip', empty: 'application/vnd.oci.empty.v1+json',
};
const digest = (bytes, algorithm = 'sha256') => `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
const call = (method, target, { headers, body } = {}) => fetch(target.startsWith('http') ? target : `${sampan.endpoint}${target}`, {
  method, body, redirect: 'manual', headers: { ...auth, ...headers },
});
const location = (answer) => new URL(answer.headers.get('location'), sampan.endpoint);
const bytesOf = async (answer) => Buffer.from(await answer.arrayBuffer());
async function expectError(answer, status, code) {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  const { errors } = JSON.parse(text);
  assert.ok(errors.length > 0);
  for (const error of errors) assert.equal(typeof error.message, 'string');
  assert.equal(errors[0].code, code);
}

async function pushBlob(repository, bytes, algorithm = 'sha256') {
  const answer = await call('POST', `/v2/${repository}/blobs/uploads/?digest=${digest(bytes, algorithm)}`, { body: bytes, headers: { 'content-type': 'application/octet-stream' } });
  assert.equal(answer.status, 201, await answer.text());
  return { digest: digest(bytes, algorithm), size: bytes.length };
}
async function imageFor(repository, more = {}, algorithm = 'sha256') {
  const config = await pushBlob(repository, Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', seed: randomBytes(8).toString('hex') })), algorithm);
  const layer = await pushBlob(repository, randomBytes(100), algorithm);
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.manifest, config: { mediaType: TYPES.config, ...config }, layers: [{ mediaType: TYPES.layer, ...layer }], ...more }));
}
const putManifest = (repository, reference, body, type = TYPES.manifest) => call('PUT', `/v2/${repository}/manifests/${reference}`, { body, headers: { 'content-type': type } });

describe('Determining support', () => {
  test('GET /v2/ is 200 with credentials and 401 with a challenge without', async () => {
    assert.equal((await call('GET', '/v2/')).status, 200);
    const anonymous = await fetch(`${sampan.endpoint}/v2/`);
    await expectError(anonymous.clone(), 401, 'UNAUTHORIZED');
    assert.match(anonymous.headers.get('www-authenticate'), /^Basic realm="/);
  });
});

describe('Pull', () => {
  test('blobs: GET and HEAD by digest, 404 for what is not there', async () => {
    const bytes = randomBytes(1000);
    await pushBlob('conf/one', bytes);
    const target = `/v2/conf/one/blobs/${digest(bytes)}`;
    const got = await call('GET', target);
    assert.equal(got.status, 200);
    assert.deepEqual(await bytesOf(got), bytes);
    const head = await call('HEAD', target);
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('content-length'), '1000');
    assert.equal(head.headers.get('docker-content-digest'), digest(bytes));
    await expectError(await call('GET', `/v2/conf/one/blobs/${digest('absent')}`), 404, 'BLOB_UNKNOWN');
    assert.equal((await call('HEAD', `/v2/conf/one/blobs/${digest('absent')}`)).status, 404);
    assert.equal((await call('GET', `/v2/conf/two/blobs/${digest(bytes)}`)).status, 404, 'another repository does not show it');
    await expectError(await call('GET', '/v2/conf/one/blobs/sha256:zz'), 400, 'DIGEST_INVALID');
  });

  test('blobs: Range gives 206 and the bytes; beyond the end is 416', async () => {
    const bytes = randomBytes(500);
    await pushBlob('conf/one', bytes);
    const range = (header) => call('GET', `/v2/conf/one/blobs/${digest(bytes)}`, { headers: { range: header } });
    for (const [header, from, to] of [['bytes=0-9', 0, 10], ['bytes=490-', 490, 500], ['bytes=-7', 493, 500], ['bytes=499-9999', 499, 500]]) {
      const answer = await range(header);
      assert.equal(answer.status, 206, header);
      assert.equal(answer.headers.get('content-range'), `bytes ${from}-${to - 1}/500`);
      assert.deepEqual(await bytesOf(answer), bytes.subarray(from, to), header);
    }
    for (const header of ['bytes=500-', 'bytes=400-300', 'bytes=-0']) {
      const refused = await range(header);
      assert.equal(refused.headers.get('content-range'), 'bytes */500', header);
      await expectError(refused, 416, 'RANGE_INVALID');
    }
    assert.equal((await range('nonsense')).status, 200);
  });

  test('manifests: GET and HEAD by tag and digest with type and digest; 404 for what is not there', async () => {
    const manifest = await imageFor('conf/one');
    assert.equal((await putManifest('conf/one', 'pulled', manifest)).status, 201);
    for (const reference of ['pulled', digest(manifest)]) {
      const got = await call('GET', `/v2/conf/one/manifests/${reference}`, { headers: { accept: `${TYPES.index}, ${TYPES.manifest}` } });
      assert.equal(got.headers.get('content-type'), TYPES.manifest);
      assert.equal(got.headers.get('docker-content-digest'), digest(manifest));
      assert.deepEqual(await bytesOf(got), manifest);
      const head = await call('HEAD', `/v2/conf/one/manifests/${reference}`);
      assert.equal(head.status, 200);
      assert.equal(head.headers.get('content-length'), String(manifest.length));
    }
    await expectError(await call('GET', '/v2/conf/one/manifests/absent'), 404, 'MANIFEST_UNKNOWN');
    assert.equal((await call('HEAD', `/v2/conf/one/manifests/${digest('absent')}`)).status, 404);
    await expectError(await call('GET', '/v2/conf/nowhere/manifests/x'), 404, 'NAME_UNKNOWN');
    await expectError(await call('GET', '/v2/Conf_/one/manifests/x'), 400, 'NAME_INVALID');
  });
});

describe('Pull: what has changed, and parts', () => {
  test('If-None-Match gives 304 for blobs and manifests, If-Range the whole when it is another', async () => {
    const manifest = await imageFor('conf/one');
    await putManifest('conf/one', 'etag', manifest);
    const blob = JSON.parse(manifest).layers[0].digest;
    for (const target of ['/v2/conf/one/manifests/etag', `/v2/conf/one/blobs/${blob}`]) {
      for (const method of ['GET', 'HEAD']) {
        const first = await call(method, target);
        const etag = first.headers.get('etag');
        assert.match(etag, /^"sha256:/);
        await first.arrayBuffer();
        const unchanged = await call(method, target, { headers: { 'if-none-match': `"other", ${etag}` } });
        assert.equal(unchanged.status, 304, `${method} ${target}`);
        assert.equal(unchanged.headers.get('etag'), etag);
        assert.equal((await call(method, target, { headers: { 'if-none-match': '"other"' } })).status, 200);
      }
      const part = await call('GET', target, { headers: { range: 'bytes=5-9' } });
      assert.equal(part.status, 206);
      assert.equal((await part.arrayBuffer()).byteLength, 5);
      assert.equal((await call('GET', target, { headers: { range: 'bytes=5-9', 'if-range': '"other"' } })).status, 200);
    }
  });
});

describe('Push: blobs', () => {
  const start = async (query = '') => {
    const answer = await call('POST', `/v2/conf/one/blobs/uploads/${query}`);
    assert.equal(answer.status, 202);
    return location(answer);
  };
  const finish = (url, bytes, named = digest(bytes)) => {
    url.searchParams.set('digest', named);
    return call('PUT', url.href, { body: bytes.length ? bytes : undefined });
  };

  test('monolithic: POST then PUT; the Location pulls', async () => {
    const bytes = randomBytes(300);
    const answer = await finish(await start(), bytes);
    assert.equal(answer.status, 201);
    assert.deepEqual(await bytesOf(await call('GET', location(answer).href)), bytes);
  });

  test('monolithic: a single POST with digest', async () => {
    await pushBlob('conf/one', randomBytes(64));
    await expectError(await call('POST', `/v2/conf/one/blobs/uploads/?digest=${digest('other')}`, { body: 'these bytes' }), 400, 'DIGEST_INVALID');
  });

  test('chunked: PATCH in order, status by GET, PUT with or without the last chunk', async () => {
    const bytes = randomBytes(900);
    let url = await start();
    for (const [from, to] of [[0, 300], [300, 600]]) {
      const answer = await call('PATCH', url.href, { body: bytes.subarray(from, to), headers: { 'content-range': `${from}-${to - 1}`, 'content-type': 'application/octet-stream' } });
      assert.equal(answer.status, 202);
      assert.equal(answer.headers.get('range'), `0-${to - 1}`);
      url = location(answer);
    }
    const status = await call('GET', url.href);
    assert.equal(status.status, 204);
    assert.equal(status.headers.get('range'), '0-599');
    assert.ok(status.headers.get('location'));
    url = location(status);
    url.searchParams.set('digest', digest(bytes));
    const done = await call('PUT', url.href, { body: bytes.subarray(600), headers: { 'content-range': '600-899' } });
    assert.equal(done.status, 201);
    assert.equal((await call('HEAD', `/v2/conf/one/blobs/${digest(bytes)}`)).headers.get('content-length'), '900');
  });

  test('chunked: out of order, malformed or wrongly long chunks are refused and lose nothing', async () => {
    const url = await start();
    const patch = (range, body) => call('PATCH', url.href, { body, headers: { 'content-range': range } });
    assert.equal((await patch('0-4', 'hello')).status, 202);
    const early = await patch('9-12', 'late');
    assert.equal(early.status, 416);
    assert.equal(early.headers.get('range'), '0-4');
    assert.equal((await patch('0-4', 'hello')).status, 416, 'the same chunk again');
    assert.equal((await patch('x-y', 'hello')).status, 416);
    assert.equal((await patch('5-20', 'short')).status, 400);
    assert.equal((await patch('5-9', 'world')).status, 202);
    assert.equal((await finish(url, Buffer.alloc(0), digest('helloworld'))).status, 201);
  });

  test('an upload is cancelled, and one that nobody began is unknown', async () => {
    const url = await start();
    assert.equal((await call('DELETE', url.href)).status, 204);
    await expectError(await call('GET', url.href), 404, 'BLOB_UPLOAD_UNKNOWN');
    await expectError(await call('PATCH', `/v2/conf/one/blobs/uploads/${'0'.repeat(36)}`, { body: 'x' }), 404, 'BLOB_UPLOAD_UNKNOWN');
    const other = await start();
    await expectError(await call('PUT', other.href.replace('/conf/one/', '/conf/two/') + `?digest=${digest('')}`), 404, 'BLOB_UPLOAD_UNKNOWN');
  });

  test('a digest that the bytes do not have, or that is none, is refused', async () => {
    await expectError(await finish(await start(), Buffer.from('abc'), digest('abd')), 400, 'DIGEST_INVALID');
    await expectError(await finish(await start(), Buffer.from('abc'), 'md5:900150983cd24fb0d6963f7d28e17f72'), 400, 'DIGEST_INVALID');
    await expectError(await call('PUT', (await start()).href, { body: 'abc' }), 400, 'DIGEST_INVALID');
  });

  test('sha512: pushed, pulled and named by it, told ahead or not', async () => {
    for (const query of ['?digest-algorithm=sha512', '']) {
      const bytes = randomBytes(200);
      const answer = await finish(await start(query), bytes, digest(bytes, 'sha512'));
      assert.equal(answer.status, 201);
      assert.equal(answer.headers.get('docker-content-digest'), digest(bytes, 'sha512'));
      assert.deepEqual(await bytesOf(await call('GET', `/v2/conf/one/blobs/${digest(bytes, 'sha512')}`)), bytes);
      assert.equal((await call('GET', `/v2/conf/one/blobs/${digest(bytes)}`)).status, 404, 'it has one name');
    }
    await expectError(await call('POST', '/v2/conf/one/blobs/uploads/?digest-algorithm=md5'), 400, 'DIGEST_INVALID');
  });

  test('mounting from another repository; 202 when it is not there', async () => {
    const bytes = randomBytes(200);
    await pushBlob('conf/one', bytes);
    const mounted = await call('POST', `/v2/conf/two/blobs/uploads/?mount=${digest(bytes)}&from=conf/one`);
    assert.equal(mounted.status, 201);
    assert.equal(location(mounted).pathname, `/v2/conf/two/blobs/${digest(bytes)}`);
    assert.deepEqual(await bytesOf(await call('GET', `/v2/conf/two/blobs/${digest(bytes)}`)), bytes);
    assert.equal((await call('POST', `/v2/conf/two/blobs/uploads/?mount=${digest('absent')}&from=conf/one`)).status, 202);
    assert.equal((await call('POST', `/v2/conf/two/blobs/uploads/?mount=${digest(bytes)}&from=conf/nowhere`)).status, 202);
  });

  test('mounting without a source: any repository that has the blob will do', async () => {
    const bytes = randomBytes(200);
    await pushBlob('conf/refs', bytes);
    const mounted = await call('POST', `/v2/conf/two/blobs/uploads/?mount=${digest(bytes)}`);
    assert.equal(mounted.status, 201);
    assert.deepEqual(await bytesOf(await call('GET', location(mounted).href)), bytes);
    assert.equal((await call('POST', `/v2/conf/two/blobs/uploads/?mount=${digest('absent')}`)).status, 202);
  });

  test('the empty blob and the empty object', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('{}')]) {
      for (const algorithm of ['sha256', 'sha512']) {
        assert.equal((await finish(await start(), bytes, digest(bytes, algorithm))).status, 201);
        const got = await call('GET', `/v2/conf/one/blobs/${digest(bytes, algorithm)}`);
        assert.equal(got.headers.get('content-length'), String(bytes.length));
        assert.deepEqual(await bytesOf(got), bytes);
      }
    }
  });

  test('a body without Content-Length, sent in pieces', async () => {
    const bytes = randomBytes(70_000);
    const url = await start();
    const pieces = new ReadableStream({ start(to) { to.enqueue(bytes.subarray(0, 10)); to.enqueue(bytes.subarray(10)); to.close(); } });
    const patched = await fetch(url, { method: 'PATCH', headers: auth, body: pieces, duplex: 'half' });
    assert.equal(patched.status, 202);
    assert.equal(patched.headers.get('range'), `0-${bytes.length - 1}`);
    assert.equal((await finish(url, Buffer.alloc(0), digest(bytes))).status, 201);
  });

  test('an upload does not outlive the daemon: its client is told to begin again', async () => {
    const url = await start();
    assert.equal((await call('PATCH', url.href, { body: 'half of it' })).status, 202);
    await sampan.kill();
    await sampan.restart();
    await expectError(await call('PATCH', url.href, { body: 'the rest' }), 404, 'BLOB_UPLOAD_UNKNOWN');
    await pushBlob('conf/one', Buffer.from('half of itthe rest'));
  });
});

describe('Push: manifests', () => {
  test('by tag and by digest, with Location and digest; the bytes stay as they were sent', async () => {
    const pretty = Buffer.from(JSON.stringify(JSON.parse(await imageFor('conf/one')), null, 3));
    for (const reference of ['pretty', digest(pretty)]) {
      const answer = await putManifest('conf/one', reference, pretty);
      assert.equal(answer.status, 201);
      assert.equal(answer.headers.get('docker-content-digest'), digest(pretty));
      assert.deepEqual(await bytesOf(await call('GET', location(answer).href)), pretty);
    }
  });

  test('sha512: a manifest named by it, of blobs named by it', async () => {
    const manifest = await imageFor('conf/one', {}, 'sha512');
    const answer = await putManifest('conf/one', digest(manifest, 'sha512'), manifest);
    assert.equal(answer.status, 201, await answer.text());
    assert.equal(answer.headers.get('docker-content-digest'), digest(manifest, 'sha512'));
    assert.deepEqual(await bytesOf(await call('GET', `/v2/conf/one/manifests/${digest(manifest, 'sha512')}`)), manifest);
    assert.equal((await putManifest('conf/one', digest('other', 'sha512'), manifest)).status, 400);
  });

  test('a manifest pushed by its digest gets the tags that the query names', async () => {
    const manifest = await imageFor('conf/one', {}, 'sha512');
    const named = digest(manifest, 'sha512');
    const answer = await putManifest('conf/one', `${named}?tag=param-1&tag=param-2`, manifest);
    assert.equal(answer.status, 201, await answer.clone().text());
    assert.equal(answer.headers.get('oci-tag'), 'param-1, param-2');
    for (const tag of ['param-1', 'param-2']) {
      const got = await call('GET', `/v2/conf/one/manifests/${tag}`);
      assert.equal(got.headers.get('docker-content-digest'), named);
      assert.deepEqual(await bytesOf(got), manifest);
    }
    await expectError(await putManifest('conf/one', `${named}?tag=not%20one`, manifest), 400, 'TAG_INVALID');
    const many = Array.from({ length: 33 }, (_, i) => `tag=t${i}`).join('&');
    await expectError(await putManifest('conf/one', `${named}?${many}`, manifest), 414, 'TAG_INVALID');
  });

  test('what a manifest says beyond the specification stays; data of a descriptor, empty lists, large annotations', async () => {
    const image = JSON.parse(await imageFor('conf/one'));
    const odd = Buffer.from(JSON.stringify({ ...image, layers: [], org: { example: [1, null, true] }, config: { ...image.config, data: Buffer.from('{}').toString('base64'), extra: 1 } }));
    const large = Buffer.from(JSON.stringify({ ...image, annotations: Object.fromEntries(Array.from({ length: 390 }, (_, i) => [`large-${i}`, 'A'.repeat(10_000)])) }));
    const empty = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.index, manifests: [] }));
    for (const [tag, bytes, type] of [['odd', odd, TYPES.manifest], ['large', large, TYPES.manifest], ['empty', empty, TYPES.index]]) {
      const answer = await putManifest('conf/one', tag, bytes, type);
      assert.equal(answer.status, 201, await answer.text());
      assert.deepEqual(await bytesOf(await call('GET', `/v2/conf/one/manifests/${tag}`)), bytes);
    }
  });

  test('indexes, nested, and only of images that are there', async () => {
    const image = await imageFor('conf/one');
    await putManifest('conf/one', digest(image), image);
    const index = (...of) => Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.index, manifests: of.map(([bytes, mediaType]) => ({ mediaType, digest: digest(bytes), size: bytes.length })) }));
    const inner = index([image, TYPES.manifest]);
    assert.equal((await putManifest('conf/one', digest(inner), inner, TYPES.index)).status, 201);
    const outer = index([inner, TYPES.index]);
    assert.equal((await putManifest('conf/one', 'nested', outer, TYPES.index)).status, 201);
    assert.deepEqual(await bytesOf(await call('GET', '/v2/conf/one/manifests/nested')), outer);
    await expectError(await putManifest('conf/one', 'holes', index([Buffer.from('absent'), TYPES.manifest]), TYPES.index), 400, 'MANIFEST_BLOB_UNKNOWN');
  });

  test('Docker’s schema 2 as it came; schema 1, nonsense and what is too large refused', async () => {
    const oci = JSON.parse(await imageFor('conf/one'));
    const type = 'application/vnd.docker.distribution.manifest.v2+json';
    const docker = Buffer.from(JSON.stringify({ ...oci, mediaType: type }));
    assert.equal((await putManifest('conf/one', 'docker', docker, type)).status, 201);
    const got = await call('GET', '/v2/conf/one/manifests/docker');
    assert.equal(got.headers.get('content-type'), type);
    assert.deepEqual(await bytesOf(got), docker);
    await expectError(await putManifest('conf/one', 'old', JSON.stringify({ schemaVersion: 1, name: 'a', tag: 'b', fsLayers: [] }), 'application/vnd.docker.distribution.manifest.v1+json'), 400, 'MANIFEST_INVALID');
    await expectError(await putManifest('conf/one', 'bad', 'not json'), 400, 'MANIFEST_INVALID');
    await expectError(await putManifest('conf/one', 'big', Buffer.alloc(4 * 1024 * 1024 + 1, 32)), 413, 'SIZE_INVALID');
    await expectError(await putManifest('conf/one', 'tag with spaces'.replaceAll(' ', '%20'), docker, type), 400, 'TAG_INVALID');
    await expectError(await putManifest('conf/one', 'x'.repeat(129), docker, type), 400, 'TAG_INVALID');
    assert.equal((await putManifest('conf/one', 'x'.repeat(128), docker, type)).status, 201);
  });

  test('a missing blob is named; a layer that may not be distributed need not be there', async () => {
    const image = JSON.parse(await imageFor('conf/one'));
    const missing = { ...image, layers: [{ mediaType: TYPES.layer, digest: digest('nowhere'), size: 7 }] };
    const answer = await putManifest('conf/one', 'missing', JSON.stringify(missing));
    assert.match(JSON.stringify(await answer.clone().json()), new RegExp(digest('nowhere')));
    await expectError(answer, 400, 'MANIFEST_BLOB_UNKNOWN');
    const foreign = { ...image, layers: [{ mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', digest: digest('far away'), size: 8, urls: ['https://example.com/layer'] }] };
    assert.equal((await putManifest('conf/one', 'foreign', JSON.stringify(foreign))).status, 201);
  });
});

describe('Content discovery', () => {
  test('tags: in order, paged by n and last, with a Link that leads on', async () => {
    const manifest = await imageFor('conf/tags');
    const tags = ['1.0', '1.0-rc', 'A', 'B', '_x', 'a', 'latest', 'z'];
    for (const tag of [...tags].reverse()) assert.equal((await putManifest('conf/tags', tag, manifest)).status, 201);
    const list = async (query = '') => call('GET', `/v2/conf/tags/tags/list${query}`);
    assert.deepEqual(await (await list()).json(), { name: 'conf/tags', tags });
    const walked = [];
    let next = '/v2/conf/tags/tags/list?n=3';
    while (next) {
      const answer = await call('GET', next);
      walked.push(...(await answer.json()).tags);
      next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(walked, tags);
    assert.deepEqual((await (await list('?last=B')).json()).tags, tags.slice(4));
    assert.deepEqual((await (await list('?n=2&last=B')).json()).tags, ['_x', 'a']);
    const none = await list('?n=0');
    assert.deepEqual((await none.json()).tags, []);
    assert.equal(none.headers.get('link'), null);
    await expectError(await list('?n=-1'), 400, 'PAGINATION_NUMBER_INVALID');
    await expectError(await call('GET', '/v2/conf/nowhere/tags/list'), 404, 'NAME_UNKNOWN');
  });

  test('referrers: pushed before or after their subject, filtered, with type and annotations', async () => {
    const subject = await imageFor('conf/refs');
    const about = { subject: { mediaType: TYPES.manifest, digest: digest(subject), size: subject.length } };
    const empty = { mediaType: TYPES.empty, ...(await pushBlob('conf/refs', Buffer.from('{}'))) };
    const sbom = await pushBlob('conf/refs', Buffer.from('an sbom'));
    const artifact = (artifactType, more = {}) => Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.manifest, artifactType, config: empty, layers: [{ mediaType: artifactType, ...sbom }], ...about, ...more }));
    const first = artifact('application/spdx+json', { annotations: { 'org.example.kind': 'sbom' } });
    const early = await putManifest('conf/refs', digest(first), first);
    assert.equal(early.status, 201, 'the subject may come later');
    assert.equal(early.headers.get('oci-subject'), digest(subject));
    assert.equal((await putManifest('conf/refs', 'subject', subject)).status, 201);
    const second = await imageFor('conf/refs', about);  // its type is its configuration's
    await putManifest('conf/refs', 'tagged-referrer', second);

    const list = async (query = '', of = digest(subject)) => call('GET', `/v2/conf/refs/referrers/${of}${query}`);
    const all = await list();
    assert.equal(all.headers.get('content-type'), TYPES.index);
    const index = await all.json();
    assert.equal(index.schemaVersion, 2);
    assert.equal(index.mediaType, TYPES.index);
    const found = Object.fromEntries(index.manifests.map((each) => [each.digest, each]));
    assert.equal(found[digest(first)].artifactType, 'application/spdx+json');
    assert.equal(found[digest(first)].annotations['org.example.kind'], 'sbom');
    assert.equal(found[digest(first)].size, first.length);
    assert.equal(found[digest(second)].artifactType, TYPES.config);
    const filtered = await list('?artifactType=application/spdx%2Bjson');
    assert.match(filtered.headers.get('oci-filters-applied'), /artifactType/);
    assert.deepEqual((await filtered.json()).manifests.map((each) => each.digest), [digest(first)]);
    assert.deepEqual((await (await list('', digest('nobody'))).json()).manifests, []);
    await expectError(await list('', 'sha256:nothing'), 400, 'DIGEST_INVALID');
    // The tag fallback of older clients is an ordinary tag.
    const fallback = digest(subject).replace(':', '-');
    const tagged = JSON.stringify({ schemaVersion: 2, mediaType: TYPES.index, manifests: [{ mediaType: TYPES.manifest, digest: digest(first), size: first.length }] });
    assert.equal((await putManifest('conf/refs', fallback, tagged, TYPES.index)).status, 201);
    assert.equal((await call('GET', `/v2/conf/refs/manifests/${fallback}`)).status, 200);
    await expectError(await call('DELETE', `/v2/conf/refs/manifests/${digest(first)}`), 405, 'UNSUPPORTED');  // an index needs it
    assert.equal((await call('DELETE', `/v2/conf/refs/manifests/${digest(tagged)}`)).status, 202);
    assert.equal((await call('DELETE', `/v2/conf/refs/manifests/${digest(first)}`)).status, 202);
    assert.deepEqual((await (await list()).json()).manifests.map((each) => each.digest), [digest(second)]);
  });

  test('referrers: more than one answer takes, page by page, each once', async () => {
    const subject = await imageFor('conf/refs');
    const empty = { mediaType: TYPES.empty, ...(await pushBlob('conf/refs', Buffer.from('{}'))) };
    const pushed = [];
    const push = async (artifactType, padding) => {
      const artifact = Buffer.from(JSON.stringify({
        schemaVersion: 2, mediaType: TYPES.manifest, artifactType, config: empty, layers: [empty], annotations: { n: String(pushed.length), padding: 'x'.repeat(padding) },
        subject: { mediaType: TYPES.manifest, digest: digest(subject), size: subject.length },
      }));
      assert.equal((await putManifest('conf/refs', digest(artifact), artifact)).status, 201);
      pushed.push(digest(artifact));
    };
    for (let n = 0; n < 4; ++n) await push('application/x-large', 1_200_000);
    for (let n = 0; n < 20; ++n) await push('application/x-small', 10);
    const walk = async (query) => {
      const found = [];
      let pages = 0;
      for (let next = `/v2/conf/refs/referrers/${digest(subject)}${query}`; next; ++pages) {
        const answer = await call('GET', next);
        const text = await answer.text();
        assert.ok(text.length <= 4 * 1024 * 1024);
        const index = JSON.parse(text);
        assert.equal(index.mediaType, TYPES.index);
        found.push(...index.manifests.map((each) => each.digest));
        next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
      }
      return { found, pages };
    };
    const all = await walk('');
    assert.ok(all.pages > 1);
    assert.deepEqual(all.found.sort(), pushed.sort());
    const large = await walk('?artifactType=application/x-large');
    assert.equal(large.found.length, 4);
    assert.ok(large.pages > 1);
    assert.deepEqual(await walk('?artifactType=application/x-small').then(({ pages }) => pages), 1);
  });

  test('artifacts of any kind: a Helm chart with its own configuration', async () => {
    const config = await pushBlob('conf/refs', Buffer.from('{"name":"chart","version":"1.0.0"}'));
    const chart = await pushBlob('conf/refs', randomBytes(50));
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', ...config }, layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', ...chart }] }));
    assert.equal((await putManifest('conf/refs', '1.0.0', manifest)).status, 201);
    assert.deepEqual(await bytesOf(await call('GET', '/v2/conf/refs/manifests/1.0.0')), manifest);
  });
});

describe('Content management', () => {
  test('deleting a tag leaves the manifest, deleting the manifest takes all its tags', async () => {
    const manifest = await imageFor('conf/two');
    for (const tag of ['gone', 'stays']) await putManifest('conf/two', tag, manifest);
    assert.equal((await call('DELETE', '/v2/conf/two/manifests/gone')).status, 202);
    assert.equal((await call('GET', '/v2/conf/two/manifests/gone')).status, 404);
    assert.equal((await call('GET', '/v2/conf/two/manifests/stays')).status, 200);
    assert.equal((await call('DELETE', `/v2/conf/two/manifests/${digest(manifest)}`)).status, 202);
    assert.equal((await call('GET', '/v2/conf/two/manifests/stays')).status, 404);
    assert.ok(!(await (await call('GET', '/v2/conf/two/tags/list')).json()).tags.includes('stays'));
    await expectError(await call('DELETE', `/v2/conf/two/manifests/${digest(manifest)}`), 404, 'MANIFEST_UNKNOWN');
  });

  test('deleting a blob: gone from its repository alone; what a manifest needs stays', async () => {
    const bytes = randomBytes(77);
    for (const repository of ['conf/one', 'conf/two']) await pushBlob(repository, bytes);
    assert.equal((await call('DELETE', `/v2/conf/two/blobs/${digest(bytes)}`)).status, 202);
    assert.equal((await call('HEAD', `/v2/conf/two/blobs/${digest(bytes)}`)).status, 404);
    assert.equal((await call('HEAD', `/v2/conf/one/blobs/${digest(bytes)}`)).status, 200);
    await expectError(await call('DELETE', `/v2/conf/two/blobs/${digest(bytes)}`), 404, 'BLOB_UNKNOWN');
    const manifest = await imageFor('conf/two');
    await putManifest('conf/two', 'needs', manifest);
    assert.equal((await call('DELETE', `/v2/conf/two/blobs/${JSON.parse(manifest).layers[0].digest}`)).status, 405);
  });

  test('methods that a resource does not have are 405 and say which it has', async () => {
    for (const [method, target] of [['POST', '/v2/conf/one/tags/list'], ['PATCH', '/v2/conf/one/manifests/x'], ['PUT', `/v2/conf/one/blobs/${digest('x')}`], ['DELETE', '/v2/']]) {
      const answer = await call(method, target);
      assert.ok(answer.headers.get('allow'), `${method} ${target}`);
      await expectError(answer, 405, 'UNSUPPORTED');
    }
  });
});

describe('Tokens', () => {
  const token = async (query, headers = auth) => fetch(`${sampan.endpoint}/v2/token${query}`, { headers });
  const bearer = (value) => ({ authorization: `Bearer ${value}` });

  test('a challenge names realm, service and scope; a token of that scope opens it and nothing else', async () => {
    const refused = await fetch(`${sampan.endpoint}/v2/conf/one/tags/list`);
    const challenge = /Bearer realm="([^"]+)",service="([^"]+)",scope="([^"]+)"/.exec(refused.headers.get('www-authenticate'));
    assert.ok(challenge, refused.headers.get('www-authenticate'));
    assert.equal(challenge[3], 'repository:conf/one:pull');
    const answer = await token(`?service=${challenge[2]}&scope=${encodeURIComponent(challenge[3])}`);
    assert.equal(answer.status, 200);
    const { token: text, access_token: same, expires_in: seconds } = await answer.json();
    assert.equal(text, same);
    assert.ok(seconds > 60);
    const as = (target, method = 'GET') => fetch(`${sampan.endpoint}${target}`, { method, headers: bearer(text) });
    assert.equal((await as('/v2/')).status, 200);
    assert.equal((await as('/v2/conf/one/tags/list')).status, 200);
    const write = await as('/v2/conf/one/blobs/uploads/', 'POST');
    assert.equal(write.status, 401);
    assert.match(write.headers.get('www-authenticate'), /scope="repository:conf\/one:pull,push"/);
    assert.equal((await as('/v2/conf/two/tags/list')).status, 401);
    const both = (await (await token('?scope=repository:conf/one:pull,push')).json()).token;
    assert.equal((await fetch(`${sampan.endpoint}/v2/conf/one/blobs/uploads/`, { method: 'POST', headers: bearer(both) })).status, 202);
  });

  test('OAuth2’s form does the same; other grants are refused', async () => {
    const [username, password] = (await sampan.registryCredentials()).split(':');
    const post = (fields) => fetch(`${sampan.endpoint}/v2/token`, { method: 'POST', body: new URLSearchParams(fields) });
    const scope = 'repository:conf/one:pull';
    for (const fields of [{ grant_type: 'password', username, password, scope }, { grant_type: 'refresh_token', refresh_token: password, scope }]) {
      const answer = await post({ service: 'ecr.amazonaws.com', client_id: 'test', ...fields });
      assert.equal(answer.status, 200);
      const given = await answer.json();
      assert.equal(given.scope, scope);
      assert.ok(Date.parse(given.issued_at) <= Date.now() + 1000);
      assert.equal((await fetch(`${sampan.endpoint}/v2/conf/one/tags/list`, { headers: bearer(given.access_token) })).status, 200);
      assert.equal((await fetch(`${sampan.endpoint}/v2/conf/two/tags/list`, { headers: bearer(given.access_token) })).status, 401);
    }
    assert.equal((await post({ grant_type: 'password', username, password: 'wrong', scope })).status, 401);
    await expectError(await post({ grant_type: 'client_credentials', scope }), 400, 'UNSUPPORTED');
    assert.equal((await fetch(`${sampan.endpoint}/v2/token`, { method: 'POST', body: 'x'.repeat(100_000) })).status, 413);
  });

  test('a token mounts only from where it may pull, and lists repositories only with the catalog’s scope', async () => {
    const bytes = randomBytes(64);
    await pushBlob('conf/one', bytes);
    const mount = async (scope, query) => {
      const { token: text } = await (await token(`?scope=${encodeURIComponent(scope)}`)).json();
      return (await fetch(`${sampan.endpoint}/v2/conf/two/blobs/uploads/?mount=${digest(bytes)}${query}`, { method: 'POST', headers: bearer(text) })).status;
    };
    assert.equal(await mount('repository:conf/two:pull,push', '&from=conf/one'), 202);
    assert.equal(await mount('repository:conf/two:pull,push', ''), 202);
    assert.equal(await mount('repository:conf/two:pull,push repository:conf/one:pull', '&from=conf/one'), 201);
    const catalog = async (scope) => fetch(`${sampan.endpoint}/v2/_catalog`, { headers: bearer((await (await token(`?scope=${encodeURIComponent(scope)}`)).json()).token) });
    const refused = await catalog('repository:conf/one:pull');
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get('www-authenticate'), /scope="registry:catalog:\*",error="insufficient_scope"/);
    assert.equal((await catalog('registry:catalog:*')).status, 200);
  });

  test('without credentials, with wrong ones, or forged: refused', async () => {
    assert.equal((await token('', {})).status, 401);
    assert.equal((await token('', { authorization: `Basic ${Buffer.from('AWS:nonsense').toString('base64')}` })).status, 401);
    const { token: good } = await (await token('?scope=repository:conf/one:pull')).json();
    const forged = `${good.slice(0, -8)}AAAAAAA=`;
    for (const value of [forged, 'x', '']) assert.equal((await fetch(`${sampan.endpoint}/v2/conf/one/tags/list`, { headers: bearer(value) })).status, 401);
  });
});
