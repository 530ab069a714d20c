// Images of random bytes by raw HTTP, and what of them is on the disk: for tests of the registry's storage.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr';

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export class RawImages {
  static async of(sampan) {
    const self = new RawImages();
    self.sampan = sampan;
    self.auth = { authorization: `Basic ${Buffer.from(await sampan.registryCredentials()).toString('base64')}` };
    return self;
  }

  v2(target, options = {}) {
    return fetch(`${this.sampan.endpoint}/v2/${target}`, { ...options, headers: { ...this.auth, ...options.headers } });
  }

  create(name) {
    return this.sampan.ecr.send(new CreateRepositoryCommand({ repositoryName: name }));
  }

  sendBlob(repository, bytes) {
    return this.v2(`${repository}/blobs/uploads/?digest=${digestOf(bytes)}`, { method: 'POST', body: bytes, headers: { 'content-type': 'application/octet-stream' } });
  }

  async pushBlob(repository, bytes) {
    const answer = await this.sendBlob(repository, bytes);
    assert.equal(answer.status, 201, await answer.text());
    return { digest: digestOf(bytes), size: bytes.length };
  }

  /** The manifest of an image of `layers` (buffers), whose blobs are pushed. */
  async prepare(repository, layers) {
    const config = await this.pushBlob(repository, Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: layers.map(digestOf) } })));
    const descriptors = [];
    for (const layer of layers) descriptors.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...await this.pushBlob(repository, layer) });
    return JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config }, layers: descriptors });
  }

  sendManifest(repository, tag, body) {
    return this.v2(`${repository}/manifests/${tag}`, { method: 'PUT', headers: { 'content-type': MANIFEST }, body });
  }

  /** An image of `layers`; its digest. */
  async pushImage(repository, tag, layers) {
    const body = await this.prepare(repository, layers);
    const put = await this.sendManifest(repository, tag, body);
    assert.equal(put.status, 201, await put.text());
    return digestOf(body);
  }

  /** The manifest and everything it names, each compared with its digest; the digests of it all, the manifest's first. */
  async pullWhole(repository, reference) {
    const answer = await this.v2(`${repository}/manifests/${reference}`);
    assert.equal(answer.status, 200, `manifest ${reference} of ${repository}`);
    const manifest = Buffer.from(await answer.arrayBuffer());
    const named = JSON.parse(manifest);
    const all = [digestOf(manifest)];
    for (const blob of [named.config, ...named.layers]) {
      const got = await this.v2(`${repository}/blobs/${blob.digest}`);
      assert.equal(got.status, 200, `${blob.digest} of ${repository}`);
      assert.equal(digestOf(Buffer.from(await got.arrayBuffer())), blob.digest);
      all.push(blob.digest);
    }
    return all;
  }

  file(digest) {
    const [algorithm, hex] = digest.split(':');
    return path.join(this.sampan.dataDir, 'blobs', algorithm, hex.slice(0, 2), hex);
  }

  /** Digests of the files in the content store. */
  onDisk() {
    const found = new Set();
    for (const algorithm of ['sha256', 'sha512']) {
      const root = path.join(this.sampan.dataDir, 'blobs', algorithm);
      for (const shard of existsSync(root) ? readdirSync(root) : []) {
        for (const hex of readdirSync(path.join(root, shard))) found.add(`${algorithm}:${hex}`);
      }
    }
    return found;
  }

  async collect(...flags) {
    return JSON.parse((await this.sampan.sampan('--json', 'registry', 'collect', ...flags)).stdout);
  }
}
