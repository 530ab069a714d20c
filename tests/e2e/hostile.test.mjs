// What comes from outside with bad intent, or to a machine in trouble: layers that want out, containers that want out,
// calls with wrong types, a disk that is full. Refused or held, named, and the daemon goes on.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BatchGetImageCommand, ListImagesCommand } from '@aws-sdk/client-ecr';
import { CreateClusterCommand, DescribeTasksCommand, ListClustersCommand, RegisterTaskDefinitionCommand, RunTaskCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ROOT, Sampan, sleep, until } from './harness.mjs';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const sha = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** One tar entry, written by hand: real tools would refuse some of these. */
function entry(name, { type = '0', link = '', body = '', mode = 0o644, major = 0, minor = 0 } = {}) {
  const data = Buffer.from(body);
  const head = Buffer.alloc(512);
  const octal = (value, at, width) => head.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  head.write(name, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(data.length, 124, 12);
  octal(0, 136, 12);
  head.write('        ', 148);
  head.write(type, 156);
  head.write(link, 157, 100);
  head.write('ustar\x0000', 257, 'latin1');
  octal(major, 329, 8);
  octal(minor, 337, 8);
  octal(head.reduce((sum, byte) => sum + byte, 0), 148, 7);
  return Buffer.concat([head, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}
const tar = (...entries) => Buffer.concat([...entries, Buffer.alloc(1024)]);

/** What the tests do with one instance. */
class User {
  constructor(sampan) { this.sampan = sampan; }

  async prepare() {
    this.image = await this.sampan.pushBusybox();
    this.auth = { authorization: `Basic ${Buffer.from(await this.sampan.registryCredentials()).toString('base64')}` };
    this.subnets = await this.sampan.subnets();
    await this.sampan.ecs.send(new CreateClusterCommand({ clusterName: 'c' }));
    return this;
  }

  async blob(bytes) {
    const started = await fetch(`${this.sampan.endpoint}/v2/busybox/blobs/uploads/`, { method: 'POST', headers: this.auth });
    if (started.status !== 202) return started;
    const location = new URL(started.headers.get('location'), this.sampan.endpoint);
    location.searchParams.set('digest', sha(bytes));
    return fetch(location, { method: 'PUT', headers: { ...this.auth, 'content-type': 'application/octet-stream' }, body: bytes });
  }

  /** busybox with one more layer on top, pushed over the wire. Gives its reference. */
  async pushOnTop(tag, plain, compressed = gzipSync(plain)) {
    const { images } = await this.sampan.ecr.send(new BatchGetImageCommand({ repositoryName: 'busybox', imageIds: [{ imageTag: 'latest' }] }));
    const manifest = JSON.parse(images[0].imageManifest);
    const below = await (await fetch(`${this.sampan.endpoint}/v2/busybox/blobs/${manifest.config.digest}`, { headers: this.auth })).json();
    below.rootfs.diff_ids.push(sha(plain));
    const config = Buffer.from(JSON.stringify(below));
    assert.equal((await this.blob(compressed)).status, 201);
    assert.equal((await this.blob(config)).status, 201);
    manifest.config = { ...manifest.config, digest: sha(config), size: config.length };
    manifest.layers.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: sha(compressed), size: compressed.length });
    const put = await fetch(`${this.sampan.endpoint}/v2/busybox/manifests/${tag}`, {
      method: 'PUT', headers: { ...this.auth, 'content-type': MANIFEST }, body: JSON.stringify(manifest),
    });
    assert.equal(put.status, 201, await put.text());
    return `${this.sampan.registry}/busybox:${tag}`;
  }

  async start(family, script, { image = this.image, ...more } = {}) {
    await this.sampan.ecs.send(new RegisterTaskDefinitionCommand({
      family, requiresCompatibilities: ['FARGATE'], networkMode: 'awsvpc', cpu: '256', memory: '512',
      executionRoleArn: 'arn:aws:iam::000000000000:role/ecsTaskExecutionRole',
      containerDefinitions: [{
        name: 'c', image, essential: true, command: ['sh', '-c', script], stopTimeout: 2,
        logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': '/hostile', 'awslogs-region': 'us-east-1', 'awslogs-stream-prefix': family, 'awslogs-create-group': 'true' } },
        ...more,
      }],
    }));
    const { tasks } = await this.sampan.ecs.send(new RunTaskCommand({
      cluster: 'c', taskDefinition: family, launchType: 'FARGATE',
      networkConfiguration: { awsvpcConfiguration: { subnets: [this.subnets[0]], assignPublicIp: 'ENABLED' } },
    }));
    return tasks[0].taskArn;
  }

  async reach(arn, status, seconds = 60) {
    return until(`${status} of ${arn}`, async () => {
      const { tasks } = await this.sampan.ecs.send(new DescribeTasksCommand({ cluster: 'c', tasks: [arn] }));
      return tasks[0].lastStatus === status && tasks[0];
    }, seconds);
  }

  /** Runs it to its end; gives the task and what it printed. */
  async run(family, script, options) {
    const task = await this.reach(await this.start(family, script, options), 'STOPPED');
    return { task, lines: await this.lines(family) };
  }

  async lines(family) {
    const { events } = await this.sampan.logs.send(new FilterLogEventsCommand({ logGroupName: '/hostile', logStreamNamePrefix: `${family}/` }))
      .catch((error) => { if (error.name === 'ResourceNotFoundException') return { events: [] }; throw error; });
    return events.map((event) => event.message);
  }
}

describe('hostile images and containers', () => {
  let sampan, user, outside;
  before(async () => {
    sampan = await Sampan.start();
    user = await new User(sampan).prepare();
    outside = path.join(sampan.directory, 'outside');
    mkdirSync(outside);
    writeFileSync(path.join(outside, 'secret'), 'the host’s own words');
  });
  after(async () => { await sampan?.stop(); });

  const untouched = () => {
    assert.deepEqual(readdirSync(outside), ['secret']);
    assert.equal(readFileSync(path.join(outside, 'secret'), 'utf8'), 'the host’s own words');
    for (const name of ['/pwned', '/etc/pwned', '/tmp/pwned']) assert.equal(existsSync(name), false, name);
  };

  test('layers that name something outside are refused, with the entry’s name', async () => {
    const hostile = {
      dots: [entry('../../../../../../../../etc/pwned', { body: 'x' })],
      middle: [entry('tmp/../../pwned', { body: 'x' })],
      through: [entry('esc', { type: '2', link: outside }), entry('esc/pwned', { body: 'x' })],
      upward: [entry('up', { type: '2', link: '../../../../../../..' }), entry('up/tmp/pwned/', { type: '5' }), entry(`up${outside}/pwned`, { body: 'x' }), entry('../pwned', {})],
      hard: [entry('stolen', { type: '1', link: `${outside}/secret` })],
      'hard-dots': [entry('stolen', { type: '1', link: '../../../../../../etc/passwd' })],
      'white-dots': [entry('tmp/.wh...', {})],
      'white-out': [entry('../.wh.etc', {})],
    };
    for (const [name, entries] of Object.entries(hostile)) {
      const image = await user.pushOnTop(name, tar(...entries));
      const { task } = await user.run(`layer-${name}`, 'true', { image });
      assert.equal(task.stopCode, 'TaskFailedToStart', name);
      assert.match(task.stoppedReason, /^CannotPullContainerError: .*unpack layer sha256:[0-9a-f]{64}: unpack entry '/, name);
      assert.doesNotMatch(task.stoppedReason, /\n/);
      untouched();
    }
  });

  test('absolute names, links and whiteouts stay inside; device nodes are left out', async () => {
    const image = await user.pushOnTop('inside', tar(
      entry('/etc/pwned', { body: 'inside\n' }), entry('shadow', { type: '2', link: '/etc/shadow' }),
      entry('absolute', { type: '2', link: `${outside}/secret` }), entry('dev/sda', { type: '4', major: 8, minor: 0, mode: 0o666 }),
      entry('mem', { type: '3', major: 1, minor: 1, mode: 0o666 }), entry('root-shell', { mode: 0o4755, body: '#!/bin/sh\n' }),
    ));
    const { task, lines } = await user.run('inside', 'exec 2>&1; cat /etc/pwned; cat /shadow /absolute; ls /dev/sda /mem; echo end', { image });
    assert.equal(task.containers[0].exitCode, 0, task.stoppedReason);
    assert.equal(lines[0], 'inside');
    assert.equal(lines.at(-1), 'end');
    assert.equal(lines.filter((line) => /No such file/.test(line)).length, 4, lines.join('|'));
    untouched();
  });

  test('a layer that is not what its digest says, no archive, or cut short', async () => {
    const honest = tar(entry('file', { body: 'x'.repeat(5000) }));
    const cut = gzipSync(honest);
    for (const [name, plain, compressed] of [
      ['lie', tar(entry('other', { body: 'y' })), gzipSync(honest)],
      ['noise', Buffer.from('noise'), randomBytes(4000)],
      ['cut', honest, cut.subarray(0, cut.length - 20)],
    ]) {
      const image = await user.pushOnTop(name, plain, compressed);
      const { task } = await user.run(`bytes-${name}`, 'true', { image });
      assert.match(task.stoppedReason, /^CannotPullContainerError: .*sha256:/, name);
    }
    assert.equal((await user.run('honest', 'cat /file | head -c 3', { image: await user.pushOnTop('honest', honest) })).task.containers[0].exitCode, 0);
  });

  test('a container neither sees nor changes the host', async () => {
    const neighbour = await user.start('neighbour', 'exec sleep 1000000');
    await user.reach(neighbour, 'RUNNING');
    const script = `
      try() { name=$1; shift; if "$@" >/dev/null 2>&1; then echo "$name: DONE"; else echo "$name: held"; fi; }
      try secret cat ${outside}/secret
      try secret-by-proc cat /proc/1/root${outside}/secret
      try mount mount -t tmpfs none /tmp
      try bind mount -o bind /bin /tmp
      try remount mount -o remount,rw /proc/sys
      try sys sh -c 'echo 1 > /proc/sys/kernel/panic'
      try core sh -c 'echo "|/tmp/x" > /proc/sys/kernel/core_pattern'
      try sysrq sh -c 'echo h > /proc/sysrq-trigger'
      try class sh -c 'echo 1 > /sys/kernel/profiling'
      for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do [ -e $file ] && try cgroup sh -c "echo 1 > $file"; done
      try device busybox mknod /tmp/disk b 8 0
      try kcore head -c 1 /proc/kcore
      try kmsg busybox dmesg
      try hostname busybox hostname other
      try chroot busybox chroot /proc/1/root true_is_not_there
      try unshare busybox unshare -U true
      try nsenter busybox nsenter -t 1 -n true_is_not_there
      try clock sh -c 'date -s 2001-01-01; test $(date +%Y) = 2001'
      try reboot busybox reboot -f
      try address ip addr add 10.0.0.1/8 dev eth0
      try kill-all kill -9 -1
      echo "processes: $(ls /proc | grep -c '^[0-9]')"
      grep -l 1000000 /proc/[0-9]*/cmdline | grep -v "/$$/" | while read file; do tr '\\0' ' ' < $file | grep -q '^sleep 1000000' && echo "neighbour: SEEN"; done
      cat /proc/self/mountinfo | grep -c ${sampan.directory}/outside
      echo end`;
    const { task, lines } = await user.run('escape', script);
    assert.equal(task.containers[0].exitCode, 0, `${task.stoppedReason} ${lines.join('|')}`);
    assert.equal(lines.at(-1), 'end');
    assert.deepEqual(lines.filter((line) => /DONE|SEEN/.test(line) && !/^kill-all/.test(line)), []);
    assert.ok(Number(/processes: (\d+)/.exec(lines.join('\n'))[1]) < 10, lines.join('|'));
    untouched();
    await sampan.ecs.send(new StopTaskCommand({ cluster: 'c', task: neighbour }));
  });

  test('a container reaches neither the daemon nor another program of the host', async () => {
    const server = createServer((_, answer) => answer.end('host'));
    await new Promise((resolve) => server.listen(0, '0.0.0.0', resolve));
    const { port } = server.address();
    const hosts = Object.values(networkInterfaces()).flat().filter((one) => one.family === 'IPv4' && !one.internal).map((one) => one.address);
    const script = `
      gateway=$(ip route | grep default | grep -o '[0-9.]*' | head -n 1); echo "gateway $gateway"
      for address in 127.0.0.1 $gateway ${hosts.join(' ')}; do for port in ${sampan.port} ${port}; do
        wget -T 1 -q -O- http://$address:$port/health >/dev/null 2>&1 && echo "REACHED $address:$port"; done; done; echo end`;
    const { lines } = await user.run('reach', script);
    server.close();
    assert.match(lines[0], /^gateway 10\./);
    assert.deepEqual(lines.slice(1), ['end']);
  });

  test('a fork bomb is held, and the daemon answers meanwhile', async () => {
    const arn = await user.start('bomb', 'bomb() { bomb | bomb & bomb; }; echo lit; bomb');
    await user.reach(arn, 'RUNNING').catch(() => {});
    for (let i = 0; i < 10; ++i) {
      const from = Date.now();
      await sampan.ecs.send(new ListClustersCommand({}));
      assert.ok(Date.now() - from < 2000, `an answer took ${Date.now() - from} ms`);
      await sleep(200);
    }
    await sampan.ecs.send(new StopTaskCommand({ cluster: 'c', task: arn }));
    await user.reach(arn, 'STOPPED', 60);
    assert.equal((await user.run('after', 'echo fine')).lines[0], 'fine');
  });

  test('members of every wrong type are answered with a client’s fault', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    let state = seed;
    const random = (n) => { state = (state * 1103515245 + 12345) % 2147483648; return Math.floor((state / 2147483648) * n); };
    const values = [7, -1, 1e30, 'x', '', [], {}, null, true, [[]], { a: 1 }, [null], [{}], 'a'.repeat(3000), '\u0000', '../..', 'arn:aws:ecs:us-east-1:000000000000:task/../x', [['x']], { '': '' }];
    let answered = 0;
    for (const [file, prefix] of [['ecs', 'AmazonEC2ContainerServiceV20141113'], ['ecr', 'AmazonEC2ContainerRegistry_V20150921'], ['logs', 'Logs_20140328']]) {
      const model = JSON.parse(readFileSync(path.join(ROOT, 'models', `${file}.json`), 'utf8'));
      const calls = Object.entries(model.operations).flatMap(([operation, { input }]) => Object.keys(model.shapes[input]?.members ?? {}).map((member) => [operation, member]));
      for (let i = 0; i < 400; ++i) {
        const [operation, member] = calls[random(calls.length)];
        const body = JSON.stringify({ [member]: values[random(values.length)], ...(random(2) ? { cluster: values[random(values.length)] } : {}) });
        const answer = await sampan.signed(`${prefix}.${operation}`, body, { service: file });
        assert.ok(answer.status < 500 || answer.status === 501, `seed ${seed}: ${operation} ${body.slice(0, 200)} gave ${answer.status} ${answer.text}`);
        ++answered;
      }
    }
    assert.equal(answered, 1200);
    assert.equal((await fetch(`${sampan.endpoint}/health`)).status, 200);
  });
});

describe('a full disk', () => {
  let sampan, user;
  before(async () => {
    sampan = await Sampan.start({ diskMiB: 64 });
    user = await new User(sampan).prepare();
  });
  after(async () => { await sampan?.stop(); });

  const free = () => { const { bavail, bsize } = statfsSync(sampan.disk); return bavail * bsize; };
  const filler = () => path.join(sampan.disk, 'filler');

  /** Takes every byte that is free. */
  function fill() {
    const piece = Buffer.alloc(64 << 10);
    try {
      for (;;) writeFileSync(filler(), piece, { flag: 'a' });
    } catch (error) {
      assert.equal(error.code, 'ENOSPC');
    }
  }

  test('a blob that is too large for it is refused, and leaves nothing', async () => {
    const had = free();
    const answer = await user.blob(randomBytes(80 << 20));
    assert.ok(answer.status >= 500, String(answer.status));
    const { errors } = await answer.json();
    assert.match(errors[0].message, /No space left on device/);
    await until('the space is free again', () => free() > had - (1 << 20), 10);
    const { imageIds } = await sampan.ecr.send(new ListImagesCommand({ repositoryName: 'busybox' }));
    assert.equal(imageIds.length, 1);
    assert.equal((await user.run('still', 'echo runs')).lines[0], 'runs');
  });

  test('a layer that unpacks to more than there is ends the task, and its bytes are given back', async () => {
    const plain = tar(entry('zeros', { body: Buffer.alloc(200 << 20) }));
    const image = await user.pushOnTop('bomb', plain, gzipSync(plain));
    const { task } = await user.run('unpack', 'true', { image });
    assert.match(task.stoppedReason, /^CannotPullContainerError: .*entry 'zeros': .*No space left on device/);
    await until('the space is free again', () => free() > 40 << 20, 10);
  });

  test('calls that write are refused while nothing fits, reads go on, and all is well once there is space', async () => {
    fill();
    let refused = 0;
    for (let i = 0; i < 400 && refused < 3; ++i) {
      try {
        await sampan.ecs.send(new CreateClusterCommand({ clusterName: `full-${i}`, tags: [{ key: 'k', value: 'v'.repeat(200) }] }));
      } catch (error) {
        ++refused;
        assert.equal(error.$metadata.httpStatusCode, 500, error.message);
        assert.match(error.name, /ServerException|InternalServerError|InternalFailure/);
        const { clusterArns } = await sampan.ecs.send(new ListClustersCommand({ maxResults: 100 }));
        assert.equal(clusterArns.some((arn) => arn.endsWith(`/full-${i}`)), false, 'what was refused is not there');
      }
    }
    assert.equal(refused, 3);
    assert.equal((await fetch(`${sampan.endpoint}/health`)).status, 200);
    const blob = await user.blob(randomBytes(1 << 20));
    assert.ok(blob.status >= 500, String(blob.status));
    rmSync(filler());
    const made = await until('a cluster is made again', async () => (await sampan.ecs.send(new CreateClusterCommand({ clusterName: 'room' }))).cluster, 10);
    assert.equal(made.status, 'ACTIVE');
    const before = (await sampan.ecs.send(new ListClustersCommand({ maxResults: 100 }))).clusterArns.sort();
    assert.equal((await user.run('again', 'echo again')).lines[0], 'again');
    await sampan.kill();
    await sampan.restart();
    const known = (await sampan.ecs.send(new ListClustersCommand({ maxResults: 100 }))).clusterArns.sort();
    assert.deepEqual(known, before, 'memory and disk agreed');
  });
});
