// The registry as people's own clients use it: skopeo, podman, docker's engine and containerd, each with stores of its own. A client
// that is not installed is skipped, and says so.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CreateRepositoryCommand, DescribeImagesCommand } from '@aws-sdk/client-ecr';
import { Sampan, busyboxLayout, imageLayout, until } from './harness.mjs';

const TYPES = { manifest: 'application/vnd.oci.image.manifest.v1+json', index: 'application/vnd.oci.image.index.v1+json' };
const find = (name) => ['/usr/bin', '/usr/sbin', '/usr/local/bin'].map((directory) => path.join(directory, name)).find((file) => existsSync(file));
const lacks = (...names) => {
  const absent = names.filter((name) => !find(name));
  return absent.length ? `${absent.join(', ')} not installed` : false;
};

let sampan, directory, credentials, password;
before(async () => {
  sampan = await Sampan.start();
  directory = mkdtempSync(path.join(tmpdir(), 'sampan-clients-'));
  credentials = await sampan.registryCredentials();
  password = credentials.slice('AWS:'.length);
  for (const repositoryName of ['skopeo/one', 'skopeo/two', 'skopeo/multi', 'podman/app', 'podman/multi', 'docker/app', 'containerd/app']) {
    await sampan.ecr.send(new CreateRepositoryCommand({ repositoryName }));
  }
});
after(async () => {
  await sampan?.stop();
  if (directory) rmSync(directory, { recursive: true, force: true });
});

/** Runs a client, `input` on its stdin; gives what it printed, throws with both streams when it fails. */
function run(file, args, { input = '', env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { env: { ...process.env, HOME: directory, XDG_RUNTIME_DIR: directory, REGISTRY_AUTH_FILE: path.join(directory, 'auth.json'), ...env }, maxBuffer: 16 << 20, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error) reject(Object.assign(error, { message: `${file} ${args.join(' ')}: ${error.message}\n${stdout}\n${stderr}`, stderr }));
      else resolve(stdout);
    });
    child.stdin.end(input);
  });
}
const digestsOf = async (repositoryName) => (await sampan.ecr.send(new DescribeImagesCommand({ repositoryName }))).imageDetails;

/** A layout whose tag is an index of an image for amd64 and one for arm64, of the layers that `busybox` has. */
function indexLayout() {
  const single = imageLayout('clients-multi');
  const file = (digest) => path.join(single, 'blobs', ...digest.split(':'));
  const put = (text) => {
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    writeFileSync(file(digest), text);
    return { digest, size: Buffer.byteLength(text) };
  };
  const entry = JSON.parse(readFileSync(path.join(single, 'index.json'), 'utf8')).manifests[0];
  if (entry.mediaType === TYPES.index) return single;
  const image = JSON.parse(readFileSync(file(entry.digest), 'utf8'));
  const manifests = ['amd64', 'arm64'].map((architecture) => {
    const config = put(JSON.stringify({ ...JSON.parse(readFileSync(file(image.config.digest), 'utf8')), architecture }));
    return { mediaType: TYPES.manifest, ...put(JSON.stringify({ ...image, config: { ...image.config, ...config } })), platform: { os: 'linux', architecture } };
  });
  const index = put(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.index, manifests }));
  writeFileSync(path.join(single, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: TYPES.index, ...index, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }] }));
  return single;
}

describe('skopeo', { skip: lacks('skopeo') }, () => {
  const skopeo = (...args) => run('skopeo', args);
  const at = (name) => `docker://${sampan.registry}/skopeo/${name}`;
  before(() => run('skopeo', ['login', '--tls-verify=false', '--username', 'AWS', '--password-stdin', sampan.registry], { input: password }));

  test('a password that is none does not log in', async () => {
    await assert.rejects(run('skopeo', ['login', '--tls-verify=false', '--authfile', path.join(directory, 'none.json'), '-u', 'AWS', '--password-stdin', sampan.registry], { input: 'nonsense' }), /unauthorized|authentication|invalid username\/password/i);
  });

  test('copy, inspect, list-tags; to another repository without sending it again; delete', async () => {
    await skopeo('copy', '--dest-tls-verify=false', `oci:${busyboxLayout()}:latest`, at('one:1'));
    await skopeo('copy', '--src-tls-verify=false', '--dest-tls-verify=false', at('one:1'), at('one:2'));
    await skopeo('copy', '--src-tls-verify=false', '--dest-tls-verify=false', at('one:1'), at('two:1'));
    const seen = JSON.parse(await skopeo('inspect', '--tls-verify=false', at('one:1')));
    assert.deepEqual(seen.RepoTags, ['1', '2']);
    assert.equal(seen.Architecture, 'amd64');
    assert.deepEqual(JSON.parse(await skopeo('list-tags', '--tls-verify=false', at('one'))).Tags, ['1', '2']);
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', at('two:1'));
    assert.equal(`sha256:${createHash('sha256').update(raw).digest('hex')}`, seen.Digest);
    await skopeo('delete', '--tls-verify=false', at('one:1'));
    assert.deepEqual(await digestsOf('skopeo/one'), []);
    assert.equal((await digestsOf('skopeo/two')).length, 1);
    await assert.rejects(skopeo('inspect', '--tls-verify=false', at('one:1')), /manifest unknown|not found/i);
    await assert.rejects(skopeo('inspect', '--tls-verify=false', at('nowhere:1')), /name unknown|not exist|not known/i);
  });

  test('an index with all its images, with one of them, and as Docker’s list', async () => {
    const layout = indexLayout();
    await skopeo('copy', '--multi-arch', 'all', '--dest-tls-verify=false', `oci:${layout}:latest`, at('multi:all'));
    const index = JSON.parse(await skopeo('inspect', '--raw', '--tls-verify=false', at('multi:all')));
    assert.deepEqual(index.manifests.map((each) => each.platform.architecture), ['amd64', 'arm64']);
    const arm = JSON.parse(await skopeo('inspect', '--tls-verify=false', '--override-arch', 'arm64', at('multi:all')));
    assert.equal(arm.Architecture, 'arm64');
    await skopeo('copy', '--multi-arch', 'system', '--override-arch', 'arm64', '--src-tls-verify=false', at('multi:all'), `oci:${path.join(directory, 'arm')}:x`);
    await skopeo('copy', '--all', '--format', 'v2s2', '--dest-tls-verify=false', `oci:${layout}:latest`, at('multi:docker'));
    const list = JSON.parse(await skopeo('inspect', '--raw', '--tls-verify=false', at('multi:docker')));
    assert.equal(list.mediaType, 'application/vnd.docker.distribution.manifest.list.v2+json');
    // The images are there: the index alone may be copied to a new name.
    await skopeo('copy', '--multi-arch', 'index-only', '--dest-tls-verify=false', `oci:${layout}:latest`, at('multi:again'));
    // They are not there: an index of nothing is refused.
    await assert.rejects(skopeo('copy', '--multi-arch', 'index-only', '--dest-tls-verify=false', `oci:${layout}:latest`, at('two:holes')), /do(es)? not exist|blob unknown|manifest/i);
  });
});

describe('podman', { skip: lacks('podman', 'skopeo') }, () => {
  const podman = (args, options) => run('podman', ['--root', path.join(directory, 'podman'), '--runroot', path.join(directory, 'podman-run'), '--storage-driver', 'vfs', ...args], {
    ...options, env: { CONTAINERS_REGISTRIES_CONF: path.join(directory, 'registries.conf') },
  });
  before(() => writeFileSync(path.join(directory, 'registries.conf'), `[[registry]]\nlocation = "${sampan.registry}"\ninsecure = true\n`));

  test('load, login, push, remove, pull: the same image; a list of two platforms', async () => {
    const app = `${sampan.registry}/podman/app`;
    await podman(['login', '-u', 'AWS', '--password-stdin', sampan.registry], { input: password });
    const archive = path.join(directory, 'podman.tar');
    await run('skopeo', ['copy', '--quiet', `oci:${busyboxLayout()}:latest`, `oci-archive:${archive}:${app}:1`]);
    await podman(['load', '-q', '-i', archive]);
    const id = (await podman(['inspect', '--format', '{{.Id}}', `${app}:1`])).trim();
    await podman(['push', '-q', `${app}:1`]);
    await podman(['rmi', '--force', id]);
    assert.equal((await podman(['pull', '-q', `${app}:1`])).trim(), id);
    await podman(['push', '-q', '--format', 'v2s2', `${app}:1`, `${app}:docker`]);
    assert.deepEqual((await digestsOf('podman/app')).flatMap((image) => image.imageTags).sort(), ['1', 'docker']);

    await podman(['manifest', 'create', 'both']);
    await podman(['manifest', 'add', '--creds', credentials, 'both', `docker://${app}:1`]);
    await podman(['manifest', 'push', '-q', '--all', 'both', `docker://${sampan.registry}/podman/multi:1`]);
    assert.ok((await digestsOf('podman/multi')).some((image) => image.imageTags?.includes('1') && /index|list/.test(image.imageManifestMediaType)));
    await podman(['rmi', '--all', '--force']);
  });
});

/** An engine of our own beside whatever runs on this machine: no bridge, no rule of its own, all its files in one directory. */
class Engine {
  static async start(home) {
    const self = new Engine();
    mkdirSync(home, { recursive: true });
    self.host = `unix://${path.join(home, 'docker.sock')}`;
    self.containerd = path.join(home, 'exec', 'containerd', 'containerd.sock');
    self.process = spawn(find('dockerd'), [
      '--data-root', path.join(home, 'data'), '--exec-root', path.join(home, 'exec'), '--pidfile', path.join(home, 'pid'), '--host', self.host,
      '--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver=vfs', '--config-file', path.join(home, 'daemon.json'),
    ], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: home } });
    self.log = '';
    self.process.stderr.on('data', (text) => { self.log = (self.log + text).slice(-20_000); });
    self.ended = new Promise((resolve) => self.process.on('exit', (code, signal) => resolve({ code, signal })));
    let over = false;
    self.ended.then(() => { over = true; });
    await until('docker’s engine answers', async () => {
      if (over) return true;
      await self.docker(['version']);
      return true;
    }, 40).catch((error) => { throw new Error(`${error.message}\n${self.log}`); });
    if (over) throw new Error(`dockerd ended:\n${self.log}`);
    return self;
  }

  docker(args, options) {
    return run(find('docker'), args, { ...options, env: { DOCKER_HOST: this.host, DOCKER_CONFIG: path.join(directory, 'docker-config') } });
  }

  ctr(args) {
    return run(find('ctr'), ['--address', this.containerd, '--namespace', 'sampan', ...args]);
  }

  async stop() {
    this.process.kill('SIGTERM');
    await this.ended;
  }
}

describe('docker', { skip: lacks('dockerd', 'docker', 'ctr', 'skopeo') }, () => {
  let engine, home;
  before(async () => {
    home = path.join(directory, 'engine');
    mkdirSync(home, { recursive: true });
    writeFileSync(path.join(home, 'daemon.json'), '{}');
    engine = await Engine.start(home);
  });
  after(async () => {
    await engine?.stop();
    // What a mount of its own would hold.
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n').map((line) => line.split(' ')[1]).filter((place) => place?.startsWith(home));
    for (const place of mounts.reverse()) execFileSync('umount', [place]);
  });

  test('login, load, push, remove, pull: the same image; a push that is not allowed says why', async () => {
    const app = `${sampan.registry}/docker/app`;
    await assert.rejects(engine.docker(['login', '-u', 'AWS', '--password-stdin', sampan.registry], { input: 'nonsense' }), /unauthorized|no basic auth/i);
    await engine.docker(['login', '-u', 'AWS', '--password-stdin', sampan.registry], { input: password });
    const archive = path.join(directory, 'busybox.tar');
    await run('skopeo', ['copy', '--quiet', `oci:${busyboxLayout()}:latest`, `docker-archive:${archive}:busybox:test`]);
    await engine.docker(['load', '-i', archive]);
    const id = (await engine.docker(['image', 'inspect', '--format', '{{.Id}}', 'busybox:test'])).trim();
    await engine.docker(['tag', 'busybox:test', `${app}:1`]);
    const pushed = /digest: (sha256:[0-9a-f]{64})/.exec(await engine.docker(['push', `${app}:1`]))[1];
    const images = await digestsOf('docker/app');
    assert.deepEqual(images.map((image) => [image.imageDigest, image.imageTags]), [[pushed, ['1']]]);
    await engine.docker(['rmi', '--force', id]);
    await engine.docker(['pull', '--quiet', `${app}:1`]);
    assert.equal((await engine.docker(['image', 'inspect', '--format', '{{.Id}}', `${app}:1`])).trim(), id);
    await engine.docker(['pull', '--quiet', `${app}@${pushed}`]);
    await engine.docker(['tag', `${app}:1`, `${sampan.registry}/docker/nowhere:1`]);
    await assert.rejects(engine.docker(['push', `${sampan.registry}/docker/nowhere:1`]), /does not exist in the registry with id/);
    await engine.docker(['logout', sampan.registry]);
    await assert.rejects(engine.docker(['push', `${app}:1`]), /no basic auth credentials|unauthorized/);
  });

  test('containerd, which asks for a Bearer token: pull and push', async () => {
    const from = `${sampan.registry}/containerd/app:1`;
    await run('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', '--dest-creds', credentials, `oci:${busyboxLayout()}:latest`, `docker://${from}`]);
    await engine.ctr(['images', 'pull', '--plain-http', '--snapshotter', 'native', '--user', credentials, from]);
    const to = `${sampan.registry}/containerd/app:2`;
    await engine.ctr(['images', 'tag', from, to]);
    await engine.ctr(['images', 'push', '--plain-http', '--user', credentials, to]);
    const [image] = await digestsOf('containerd/app');
    assert.deepEqual(image.imageTags, ['1', '2']);
    await assert.rejects(engine.ctr(['images', 'push', '--plain-http', to]), /unauthorized|authorization|401|credentials/i);
  });
});
