// 1 GiB pushed and pulled, 8 pulls at once, manifests: beside docker-registry and one core's SHA-256.
// Both registries are driven by the same raw HTTP/1.1 client, so that no tool's own hashing is measured.
import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr';
import { Peer, Report, Sampan, exec, freePort, installed, timed, until, wrk } from './lib.mjs';

const GIB = 1 << 30;
const directory = mkdtempSync(path.join(tmpdir(), 'sampan-registry-bench-'));
const file = path.join(directory, 'blob');
const report = new Report('registry');

function makeBlob() {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(1 << 24);
  const out = openSync(file, 'w');
  for (let at = 0; at < GIB; at += chunk.length) {
    randomFillSync(chunk);
    hash.update(chunk);
    writeSync(out, chunk);
  }
  closeSync(out);
  return `sha256:${hash.digest('hex')}`;
}

async function oneCoreSha() {
  const { stdout } = await exec('openssl', ['speed', '-evp', 'sha256', '-bytes', '65536', '-seconds', '2']);
  return Number(/([\d.]+)k\s*$/m.exec(stdout)[1]) / 1000;
}

/** curl is quick enough on both sides and streams files both ways. */
const curl = async (args) => {
  const { stdout } = await exec('curl', ['-sS', '--fail-with-body', ...args], { maxBuffer: 16 << 20 });
  return stdout;
};

async function startUpload(base, repository, auth) {
  const answer = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: auth });
  if (answer.status !== 202) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
  return new URL(answer.headers.get('location'), base).href;
}

async function pushBlob(base, repository, auth, digest, body) {
  const location = await startUpload(base, repository, auth);
  const url = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;
  const flags = Object.entries(auth).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  await curl(['-X', 'PUT', ...flags, '-H', 'Content-Type: application/octet-stream', '-H', 'Expect:', '-T', body, '-o', '/dev/null', url]);
}

const pull = (base, repository, auth, digest) => curl([...Object.entries(auth).flatMap(([name, value]) => ['-H', `${name}: ${value}`]), '-o', '/dev/null', `${base}/v2/${repository}/blobs/${digest}`]);

/** Different manifests, each under a tag of its own, over 8 kept connections. wrk is the client: Node's own would be the limit. */
async function manifests(base, repository, auth, config) {
  const text = (n) => JSON.stringify({
    schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.size }, layers: [],
    annotations: { n },
  });
  const [head, tail] = text('NUMBER').split('NUMBER');
  const lua = `local n = 0
function request()
  n = n + 1
  return wrk.format("PUT", "/v2/${repository}/manifests/t" .. n, nil, [==[${head}]==] .. n .. [==[${tail}]==])
end`;
  const measured = await wrk({
    url: base, connections: 8, seconds: 3, lua, headers: { ...auth, 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' },
  });
  if (measured.errors) throw new Error(`${measured.errors} manifests were refused`);
  return measured.rate;
}

async function measure(base, repository, auth, digest) {
  const out = {};
  const rate = (ms, bytes = GIB) => bytes / 1e6 / (ms / 1000);
  out.push = rate(await timed(() => pushBlob(base, repository, auth, digest, file)));
  await pull(base, repository, auth, digest);
  out.pull = Math.max(...[await timed(() => pull(base, repository, auth, digest)), await timed(() => pull(base, repository, auth, digest))].map((ms) => rate(ms)));
  out.pull8 = rate(await timed(() => Promise.all(Array.from({ length: 8 }, () => pull(base, repository, auth, digest)))), 8 * GIB);
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  const configFile = path.join(directory, 'config.json');
  writeFileSync(configFile, config);
  const configDigest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
  await pushBlob(base, repository, auth, configDigest, configFile);
  out.manifests = await manifests(base, repository, auth, { digest: configDigest, size: config.length });
  return out;
}

try {
  const digest = makeBlob();
  const sha = await oneCoreSha();
  const sampan = await Sampan.start({ flags: ['--log-level', 'warn'] });
  let ours, theirs;
  try {
    await sampan.ecr.send(new CreateRepositoryCommand({ repositoryName: 'bench' }));
    const auth = { Authorization: `Basic ${Buffer.from(await sampan.registryCredentials()).toString('base64')}` };
    ours = await measure(sampan.endpoint, 'bench', auth, digest);
  } finally {
    await sampan.stop();
  }
  if (installed('docker-registry')) {
    const port = await freePort();
    const config = path.join(directory, 'registry.yml');
    writeFileSync(config, `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${directory}/registry}}\nhttp: {addr: "127.0.0.1:${port}"}\n`);
    const peer = new Peer('docker-registry', ['serve', config]);
    try {
      await until('docker-registry answers', async () => (await fetch(`http://127.0.0.1:${port}/v2/`)).ok, 20);
      theirs = await measure(`http://127.0.0.1:${port}`, 'bench', {}, digest);
    } finally {
      await peer.stop();
    }
  }
  const peer = (key) => ({ name: 'docker-registry', value: theirs?.[key] });
  report.add('push of 1 GiB', 'MB/s', ours.push, peer('push'), { atLeast: 3 });
  report.add("push of 1 GiB beside one core's SHA-256", 'MB/s', ours.push, { name: 'openssl speed', value: sha });
  report.add('pull of 1 GiB', 'MB/s', ours.pull, peer('pull'), { atLeast: 1 });
  report.add('8 pulls of 1 GiB at once', 'MB/s', ours.pull8, peer('pull8'), { atLeast: 1 });
  report.add('manifests put, 8 connections', 'puts/s', ours.manifests, peer('manifests'), { atLeast: 5 });
  report.write();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
