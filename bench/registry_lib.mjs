// What the registry's benchmark drives both registries with: the same raw HTTP/1.1, by programs that cost little.
import { execFileSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr';
import { BIN } from '../tests/e2e/harness.mjs';
import { Peer, Sampan, exec, freePort, until, wrk } from './lib.mjs';

export const MB = 1e6;

/** A file of random bytes; gives its digest. */
export function makeBlob(file, size) {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(1 << 24);
  const out = openSync(file, 'w');
  for (let at = 0; at < size; at += chunk.length) {
    const part = chunk.subarray(0, Math.min(chunk.length, size - at));
    randomFillSync(part);
    hash.update(part);
    writeSync(out, part);
  }
  closeSync(out);
  return `sha256:${hash.digest('hex')}`;
}

/** What one core hashes, MB/s. */
export async function oneCoreSha() {
  const { stdout } = await exec('openssl', ['speed', '-evp', 'sha256', '-bytes', '65536', '-seconds', '1']);
  return Number(/([\d.]+)k\s*$/m.exec(stdout)[1]) / 1000;
}

/** What the file system of `directory` takes in one stream: the blob again, past the page cache, flushed. MB/s. */
export function diskWrite(file, directory) {
  const target = path.join(directory, 'disk-write');
  const from = process.hrtime.bigint();
  execFileSync('dd', [`if=${file}`, `of=${target}`, 'bs=4M', 'oflag=direct', 'conv=fdatasync'], { stdio: 'ignore' });
  const seconds = Number(process.hrtime.bigint() - from) / 1e9;
  const size = readSize(target);
  rmSync(target);
  return size / MB / seconds;
}

function readSize(file) {
  return Number(execFileSync('stat', ['-c', '%s', file], { encoding: 'utf8' }));
}

/** A registry under measurement: where it is, how to be let in, and its process. */
export class Registry {
  constructor({ port, auth, pid, stop }) {
    Object.assign(this, { port, auth, pid, stop, base: `http://127.0.0.1:${port}` });
    this.headers = Object.entries(auth).map(([name, value]) => `${name}: ${value}`);
  }

  static async sampan() {
    const instance = await Sampan.start({ flags: ['--log-level', 'warn'] });
    await instance.ecr.send(new CreateRepositoryCommand({ repositoryName: 'bench' }));
    const auth = { Authorization: `Basic ${Buffer.from(await instance.registryCredentials()).toString('base64')}` };
    return new Registry({ port: instance.port, auth, pid: instance.process.pid, stop: () => instance.stop() });
  }

  static async docker(directory) {
    const port = await freePort();
    const root = path.join(directory, `registry-${port}`);
    const config = `${root}.yml`;
    writeFileSync(config, `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${root}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`);
    const peer = new Peer('docker-registry', ['serve', config]);
    await until('docker-registry answers', async () => (await fetch(`http://127.0.0.1:${port}/v2/`)).ok, 20);
    const stop = async () => {
      await peer.stop();
      rmSync(root, { recursive: true, force: true });
    };
    return new Registry({ port, auth: {}, pid: peer.process.pid, stop });
  }

  async startUpload() {
    const answer = await fetch(`${this.base}/v2/bench/blobs/uploads/`, { method: 'POST', headers: this.auth });
    if (answer.status !== 202) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
    const { pathname, search } = new URL(answer.headers.get('location'), this.base);
    return pathname + search;
  }

  /** `count` uploads of the file at once; MB/s of their sum. */
  async push(file, digest, count = 1) {
    const places = await Promise.all(Array.from({ length: count }, () => this.startUpload()));
    return this.transfer(['put', file], places.map((place) => `${place}${place.includes('?') ? '&' : '?'}digest=${digest}`));
  }

  pull(digest, count = 1) {
    return this.transfer(['get'], Array.from({ length: count }, () => `/v2/bench/blobs/${digest}`));
  }

  async transfer(what, targets) {
    const { stdout } = await exec(path.join(BIN, 'bench_transfer'), [...what, String(this.port), ...this.headers, '--', ...targets], { timeout: 300_000 });
    const { ms, bytes } = JSON.parse(stdout);
    return bytes / MB / (ms / 1000);
  }

  /** Different manifests, each under a tag of its own, over 8 kept connections; puts a second. */
  async putManifests(config, seconds) {
    const [head, tail] = manifest(config, 'NUMBER').split('NUMBER');
    const lua = `local n = 0
function request()
  n = n + 1
  return wrk.format("PUT", "/v2/bench/manifests/t" .. n, nil, [==[${head}]==] .. n .. [==[${tail}]==])
end`;
    return this.drive({ seconds, lua, headers: { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' } });
  }

  /** The first hundred of those, by tag, over 8 kept connections; gets a second. */
  async getManifests(seconds) {
    const lua = `local n = 0
function request()
  n = n % 100 + 1
  return wrk.format("GET", "/v2/bench/manifests/t" .. n)
end`;
    return this.drive({ seconds, lua, headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' } });
  }

  async drive({ headers, ...options }) {
    const measured = await wrk({ url: this.base, connections: 8, headers: { ...this.auth, ...headers }, ...options });
    if (measured.errors) throw new Error(`${measured.errors} requests were refused`);
    return measured.rate;
  }

  /** The most memory it has had since resetPeak(), MB. */
  peakMegabytes() {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]) * 1024 / MB;
  }

  resetPeak() {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
  }
}

function manifest(config, n) {
  return JSON.stringify({
    schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.size }, layers: [],
    annotations: { n },
  });
}
