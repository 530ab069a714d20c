// Starts a sampand of its own for a test file, gives real clients for it, and checks at the end that nothing is left.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, existsSync, readdirSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createHash } from 'node:crypto';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client } from '@aws-sdk/client-ec2';
import { STSClient } from '@aws-sdk/client-sts';

export const ROOT = path.resolve(import.meta.dirname, '../..');
export const BIN = process.env.SAMPAN_BIN ?? path.join(ROOT, 'build/release/bin');
const run = promisify(execFile);
/** Debian's own, where another one stands before it in PATH. */
export const AWS = existsSync('/usr/bin/aws') ? '/usr/bin/aws' : 'aws';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls `probe` until it gives a true value (returned), or fails with `what` after `seconds`. */
export async function until(what, probe, seconds = 60, everyMs = 100) {
  const deadline = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${seconds} s: ${what}; last: ${last instanceof Error ? last.stack : JSON.stringify(last)}`);
    }
    await sleep(everyMs);
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

let vpcCount = 0;

export class Sampan {
  /**
   * Starts an instance with data and run directories of its own. `flags` are more flags of sampand; `diskMiB`
   * puts the data on a disk of that size; `daemonEnvironment(self)` gives variables for the daemon alone; `tls` is
   * {ca, certificate, key}, files, for the name localhost.
   */
  static async start({ flags = [], vpcCidr, diskMiB, daemonEnvironment, tls } = {}) {
    const self = new Sampan();
    self.directory = mkdtempSync(path.join(tmpdir(), 'sampan-e2e-'));
    chmodSync(self.directory, 0o711); // as /var/lib is: tasks in user namespaces walk through
    self.dataDir = path.join(self.directory, 'data');
    if (diskMiB) {
      self.disk = path.join(self.directory, 'disk');
      mkdirSync(self.disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMiB}m,mode=0711`, 'tmpfs', self.disk]);
      self.dataDir = path.join(self.disk, 'data');
    }
    self.runDir = path.join(self.directory, 'run');
    self.port = await freePort();
    self.tls = tls;
    self.endpoint = tls ? `https://localhost:${self.port}` : `http://127.0.0.1:${self.port}`;
    self.registry = `localhost:${self.port}`;
    self.instance = createHash('sha256').update(self.dataDir).digest('hex').slice(0, 4);
    self.vpcCidr = vpcCidr ?? `10.${100 + (process.pid % 100)}.${(vpcCount++ % 8) * 32}.0/19`;
    self.flags = tls ? ['--tls-certificate', tls.certificate, '--tls-key', tls.key, ...flags] : flags;
    self.daemonEnvironment = daemonEnvironment;
    await self.spawn();
    return self;
  }

  async spawn() {
    this.log = '';
    this.process = spawn(path.join(BIN, 'sampand'), [
      '--data-dir', this.dataDir, '--run-dir', this.runDir, '--listen', `127.0.0.1:${this.port}`,
      '--vpc-cidr', this.vpcCidr, ...(this.flags.includes('--log-level') ? [] : ['--log-level', 'debug']), ...this.flags,
    ], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...this.daemonEnvironment?.(this) } });
    this.exit = new Promise((resolve) => {
      const end = (how) => { this.ended = how; resolve(how); };
      this.process.on('exit', (code, signal) => end({ code, signal }));
      this.process.on('error', (error) => end({ error: error.message }));
    });
    this.process.stderr.on('data', (text) => { this.log = (this.log + text).slice(-400_000); });
    await until('sampand answers /health', async () => {
      if (this.ended) return true;
      return this.tls ? this.answersTls() : (await fetch(`${this.endpoint}/health`)).ok;
    }, 20, 20).catch((error) => { throw new Error(`${error.message}\n${this.log}`); });
    if (this.ended) throw new Error(`sampand ended: ${JSON.stringify(this.ended)}\n${this.log}`);
    const text = readFileSync(path.join(this.dataDir, 'credentials'), 'utf8');
    this.accessKeyId = /aws_access_key_id\s*=\s*(\S+)/.exec(text)[1];
    this.secretAccessKey = /aws_secret_access_key\s*=\s*(\S+)/.exec(text)[1];
    this.makeClients();
  }

  answersTls() {
    return new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', servername: 'localhost', port: this.port, path: '/health', ca: readFileSync(this.tls.ca), agent: false },
        (answer) => { answer.resume(); resolve(answer.statusCode === 200); }).on('error', reject);
    });
  }

  makeClients() {
    const options = {
      ...(this.tls ? { requestHandler: { httpsAgent: { ca: readFileSync(this.tls.ca) } } } : {}),
      endpoint: this.endpoint, region: 'us-east-1', maxAttempts: 1,
      credentials: { accessKeyId: this.accessKeyId, secretAccessKey: this.secretAccessKey },
    };
    this.clientOptions = options;
    this.ecs = new ECSClient(options);
    this.ecr = new ECRClient(options);
    this.elb = new ElasticLoadBalancingV2Client(options);
    this.logs = new CloudWatchLogsClient(options);
    this.ec2 = new EC2Client(options);
    this.sts = new STSClient(options);
  }

  get environment() {
    return {
      ...process.env, AWS_ACCESS_KEY_ID: this.accessKeyId, AWS_SECRET_ACCESS_KEY: this.secretAccessKey,
      AWS_ENDPOINT_URL: this.endpoint, SAMPAN_ENDPOINT: this.endpoint, AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-1',
      AWS_PAGER: '', HOME: this.directory, PATH: `${BIN}:${process.env.PATH}`,
    };
  }

  /** Runs a program with this instance's keys; gives {stdout, stderr}, throws with both when it fails. */
  async command(file, args, options = {}) {
    return run(file, args, { env: this.environment, maxBuffer: 64 << 20, timeout: 300_000, ...options });
  }

  sampan(...args) {
    return this.command(path.join(BIN, 'sampan'), ['--endpoint', this.endpoint, '--data-dir', this.dataDir, '--run-dir', this.runDir, ...args]);
  }

  /** Debian's `aws` 2.9 does not read AWS_ENDPOINT_URL, so the flag is given. */
  async aws(...args) {
    const { stdout } = await this.command(AWS, ['--endpoint-url', this.endpoint, '--output', 'json', ...args]);
    return stdout.trim() ? JSON.parse(stdout) : undefined;
  }

  async kill() {
    this.process.kill('SIGKILL');
    await this.exit;
  }

  async restart() {
    this.ended = undefined;
    await this.spawn();
  }

  /** Stops everything and throws when a process, mount, interface, namespace or table is left. */
  async stop() {
    if (!this.ended) {
      this.process.kill('SIGTERM');
      const ended = await Promise.race([this.exit, sleep(15_000)]);
      if (!ended) throw new Error(`sampand did not stop on SIGTERM:\n${this.log.slice(-3000)}`);
      if (ended.code !== 0) throw new Error(`sampand ended with ${JSON.stringify(ended)}:\n${this.log.slice(-3000)}`);
    }
    await run(path.join(BIN, 'sampan'), ['--data-dir', this.dataDir, '--run-dir', this.runDir, 'down', '--purge']);
    if (this.disk) execFileSync('umount', [this.disk]);
    const left = await until('nothing is left', () => { const found = this.leftovers(); return found.length ? null : 'none'; }, 10)
      .catch(() => this.leftovers());
    if (Array.isArray(left) && left.length) throw new Error(`left behind by ${this.instance}: ${left.join('; ')}`);
    rmSync(this.directory, { recursive: true, force: true });
  }

  leftovers() {
    const found = [];
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(this.directory));
    if (mounts.length) found.push(`mounts ${mounts.length}: ${mounts[0]}`);
    for (const link of readdirSync('/sys/class/net')) if (link.startsWith(`sp${this.instance}`)) found.push(`link ${link}`);
    const tables = execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' });
    if (tables.includes(`sampan-${this.instance}`)) found.push(`nft tables: ${tables.replaceAll('\n', ' ')}`);
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        if (line.includes(this.directory)) found.push(`process ${pid}: ${line}`);
      } catch { /* it has just ended */ }
    }
    for (const root of ['/sys/fs/cgroup', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/cpu']) {
      if (existsSync(path.join(root, `sampan-${this.instance}`))) found.push(`cgroup ${root}/sampan-${this.instance}`);
    }
    if (existsSync(this.dataDir)) found.push(`data ${this.dataDir}`);
    if (existsSync(this.runDir)) found.push(`run ${this.runDir}`);
    return found;
  }

  async subnets() {
    const { DescribeSubnetsCommand } = await import('@aws-sdk/client-ec2');
    return (await this.ec2.send(new DescribeSubnetsCommand({}))).Subnets.map((subnet) => subnet.SubnetId);
  }

  /** The base image of most tests: a static busybox, pushed by skopeo as a real client would. Gives its reference. */
  pushBusybox(repository = 'busybox') {
    return this.pushLayout(busyboxLayout(), repository);
  }

  async pushLayout(layout, repository) {
    const { CreateRepositoryCommand } = await import('@aws-sdk/client-ecr');
    await this.ecr.send(new CreateRepositoryCommand({ repositoryName: repository }));
    await this.command('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', '--dest-creds', await this.registryCredentials(),
      `oci:${layout}:latest`, `docker://${this.registry}/${repository}:latest`]);
    return `${this.registry}/${repository}:latest`;
  }

  /** A call with any body, signed as the SDK would sign it. */
  async signed(target, body, { headers = {}, type = 'application/x-amz-json-1.1', service = 'ecs' } = {}) {
    const { SignatureV4 } = await import('@smithy/signature-v4');
    const { Hash } = await import('./hash.mjs');
    const signer = new SignatureV4({
      service, region: 'us-east-1', sha256: Hash,
      credentials: { accessKeyId: this.accessKeyId, secretAccessKey: this.secretAccessKey },
    });
    const request = await signer.sign({
      method: 'POST', protocol: 'http:', hostname: '127.0.0.1', port: this.port, path: '/', query: {}, body,
      headers: { host: `127.0.0.1:${this.port}`, 'content-type': type, ...(target ? { 'x-amz-target': target } : {}), ...headers },
    });
    const answer = await fetch(this.endpoint, { method: 'POST', headers: request.headers, body });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  async registryCredentials() {
    const { GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
    const { authorizationData } = await this.ecr.send(new GetAuthorizationTokenCommand({}));
    return Buffer.from(authorizationData[0].authorizationToken, 'base64').toString();
  }
}

const layouts = new Map();

/**
 * An OCI image layout of one layer, written without any of Sampan's own code: a static busybox with its usual names, and what
 * `more` (a shell script, run beside rootfs/) adds. `config` is the image's configuration.
 */
export function imageLayout(name, { more = '', config = { Env: ['PATH=/bin'], Cmd: ['sh'] } } = {}) {
  if (layouts.has(name)) return layouts.get(name);
  const directory = mkdtempSync(path.join(tmpdir(), `sampan-${name}-`));
  execFileSync('bash', ['-euc', `
    mkdir -p rootfs/{bin,etc,tmp,root,www,proc,sys,dev} blobs/sha256 && chmod 1777 rootfs/tmp
    cp "$(command -v busybox || echo /bin/busybox)" rootfs/bin/busybox
    for name in sh ls cat echo sleep env id hostname wget nc httpd ip ping mount ps kill true false head dd tail grep touch mkdir rm seq date stat nslookup; do ln -s busybox rootfs/bin/$name; done
    printf 'root:x:0:0:root:/root:/bin/sh\\napp:x:1000:1000:app:/tmp:/bin/sh\\n' > rootfs/etc/passwd
    printf 'root:x:0:\\napp:x:1000:\\n' > rootfs/etc/group
    echo ok > rootfs/www/health
    ${more}
    tar -C rootfs --sort=name --numeric-owner --owner=0 --group=0 -cf layer.tar .
    diff=$(sha256sum layer.tar | cut -d' ' -f1)
    gzip -n layer.tar
    put() { local d=$(sha256sum "$1" | cut -d' ' -f1); cp "$1" blobs/sha256/$d; echo $d; }
    layer=$(put layer.tar.gz); size=$(stat -c%s layer.tar.gz)
    printf '{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created_by":"test"}]}' "$CONFIG" $diff > config.json
    config=$(put config.json); csize=$(stat -c%s config.json)
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%s","size":%s}]}' $config $csize $layer $size > manifest.json
    manifest=$(put manifest.json); msize=$(stat -c%s manifest.json)
    printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"latest"}}]}' $manifest $msize > index.json
    printf '{"imageLayoutVersion":"1.0.0"}' > oci-layout
    rm -rf rootfs layer.tar.gz config.json manifest.json
  `], { cwd: directory, env: { ...process.env, CONFIG: JSON.stringify(config) } });
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  layouts.set(name, directory);
  return directory;
}

export const busyboxLayout = () => imageLayout('busybox');
