// The `sampan` command as a person and as a script meet it: builds, deployments, listings, exit codes and messages.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ListTaskDefinitionsCommand } from '@aws-sdk/client-ecs';
import { DescribeLoadBalancersCommand, DescribeTargetGroupsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { DescribeSecurityGroupsCommand } from '@aws-sdk/client-ec2';
import { AWS, BIN, Sampan, busyboxLayout, freePort, until } from './harness.mjs';

let sampan, work;
before(async () => {
  sampan = await Sampan.start();
  work = path.join(sampan.directory, 'work');
  mkdirSync(work);
  await sampan.command('skopeo', ['copy', '--quiet', `oci:${busyboxLayout()}:latest`, `docker-archive:${work}/tool.tar:tool:1`]);
});
after(async () => { await sampan?.stop(); });

/** Runs `sampan`, whatever its exit; gives {code, out, err}. */
async function cli(...args) {
  const options = typeof args.at(-1) === 'object' ? args.pop() : {};
  try {
    const { stdout, stderr } = await sampan.command(path.join(BIN, 'sampan'),
      [...(args.includes('--endpoint') ? [] : ['--endpoint', sampan.endpoint]), '--data-dir', sampan.dataDir, '--run-dir', sampan.runDir, ...args], options);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    return { code: error.code, out: error.stdout, err: error.stderr };
  }
}

async function good(...args) {
  const ran = await cli(...args);
  assert.equal(ran.code, 0, `sampan ${args.join(' ')}\n${ran.out}${ran.err}`);
  return ran.out;
}

/** A build context of its own; gives its folder. */
function context(name, files) {
  const folder = path.join(work, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return folder;
}

const images = async () => JSON.parse(await good('images', '--json'));

test('an archive of docker or OCI is imported under its own name or another', async () => {
  const digest = (await good('image', 'import', `${work}/tool.tar`)).trim().split('\n').at(-1);
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  await sampan.command('skopeo', ['copy', '--quiet', `oci:${busyboxLayout()}:latest`, `oci-archive:${work}/oci.tar:x`]);
  await good('image', 'import', `${work}/oci.tar`, '-t', 'team/tool:oci');
  const known = await images();
  assert.deepEqual(known.find((image) => image.repository === 'tool').tags, ['1']);
  assert.deepEqual(known.find((image) => image.repository === 'team/tool').tags, ['oci']);
  assert.match(await good('images'), /^REPOSITORY +TAGS +DIGEST +SIZE +PUSHED\n/);
  writeFileSync(`${work}/none.tar`, 'this is no archive');
  const none = await cli('image', 'import', `${work}/none.tar`);
  assert.equal(none.code, 1);
  assert.match(none.err, /^sampan: .*archive/im);
});

test('a build: its steps, its cache, without cache, and as JSON lines', async () => {
  const folder = context('plain', {
    Dockerfile: 'FROM tool:1\nARG WORD=one\nCOPY note.txt /note.txt\nRUN cat /note.txt && echo "said $WORD"\nEXPOSE 8080\n',
    'note.txt': 'a note\n',
  });
  const first = await good('build', '-t', 'plain:1', folder);
  assert.match(first, /\[1\/\d+\] FROM tool:1/);
  assert.match(first, /said one/);
  assert.match(first, /plain:1 is sha256:[0-9a-f]{64} \(/);
  const id = (text) => / is (sha256:\S+)/.exec(text)[1];
  const second = await good('build', '-t', 'plain:1', folder);
  assert.match(second, /RUN .* CACHED/);
  assert.equal(id(second), id(first));
  assert.doesNotMatch(second, /said one/);
  const anew = await good('build', '--no-cache', '-t', 'plain:1', folder);
  assert.match(anew, /said one/);
  assert.doesNotMatch(anew, /CACHED/);
  assert.match(await good('build', '--build-arg', 'WORD=two', '-t', 'plain:2', folder), /said two/);
  const events = (await good('build', '--progress', 'json', '-t', 'plain:1', folder)).trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(events.at(-1).type, 'result');
  assert.match(events.at(-1).digest, /^sha256:/);
  assert.deepEqual(events.at(-1).exposed_ports, [8080]);
});

test('a wrong Dockerfile is refused with file, line and instruction; a failing RUN with its exit', async () => {
  const wrong = await cli('build', context('wrong', { Dockerfile: 'FROM tool:1\nRUN true\n\nCOPPY a b\n' }));
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /Dockerfile:4: .*COPPY/);
  const absent = await cli('build', context('absent', { Dockerfile: 'FROM tool:1\nCOPY nowhere.txt /\n' }));
  assert.equal(absent.code, 1);
  assert.match(absent.err, /Dockerfile:2: COPY: .*nowhere\.txt/);
  const failing = await cli('build', context('failing', { Dockerfile: 'FROM tool:1\nRUN echo before; exit 9\n' }));
  assert.equal(failing.code, 1);
  assert.match(failing.out, /before/);
  assert.match(failing.err, /Dockerfile:2: RUN echo before; exit 9: exit code 9/);
  const base = await cli('build', context('base', { Dockerfile: 'FROM localhost:1/never:1\n' }));
  assert.equal(base.code, 1);
  assert.match(base.err, /Dockerfile:1: FROM: .*never:1/);
  const none = await cli('build', path.join(work, 'nothing-here'));
  assert.equal(none.code, 2, none.err);
  assert.match(none.err, /nothing-here/);
  const bare = await cli('build', context('bare', { 'a.txt': '' }));
  assert.notEqual(bare.code, 0);
  assert.match(bare.err, /Dockerfile/);
  assert.equal((await images()).some((image) => ['wrong', 'failing'].includes(image.repository)), false);
});

test('.dockerignore, a folder and symbolic links in the context, several stages', async () => {
  const folder = context('stages', {
    Dockerfile: 'FROM tool:1 AS make\nWORKDIR /made\nCOPY . .\nRUN ls -1 > /list && cat /list\n\nFROM tool:1\nCOPY --from=make /list /list\nCOPY --from=make /made/sub /sub\nRUN cat /sub/kept.txt && test ! -e /made\n',
    '.dockerignore': '*.secret\nnode_modules\n!kept.secret\n', 'a.secret': 'x', 'kept.secret': 'y', 'node_modules/x.js': 'z', 'sub/kept.txt': 'kept it\n',
  });
  symlinkSync('/etc/shadow', path.join(folder, 'link'));
  const out = await good('build', '-t', 'stages:1', '--progress', 'plain', folder);
  assert.match(out, /kept\.secret/);
  assert.match(out, /kept it/);
  assert.match(out, /link/);
  assert.doesNotMatch(out, /a\.secret|node_modules$/m);
  assert.doesNotMatch(out, /root:[*!$]/, 'a link is copied as a link');
});

/** Two services of one app; `word` is what the first one answers. */
function compose(word, [web, side], more = '') {
  const folder = context('shop', {
    'compose.yaml': `name: shop
services:
  web:
    image: tool:1
    command: ["sh", "-c", "mkdir -p /tmp/www; echo ok > /tmp/www/health; echo $$WORD > /tmp/www/index.html; echo serving $$WORD; exec httpd -f -p 8080 -h /tmp/www"]
    ports: ["${web}:8080"]
    environment: { WORD: ${word} }
    labels: { sampan.health-path: /health }
    stop_grace_period: 2s
    networks: [front]
  side:
    image: tool:1
    command: sh -c 'mkdir -p /tmp/www; echo side > /tmp/www/index.html; exec httpd -f -p 9090 -h /tmp/www'
    ports: ["${side}:9090"]
    depends_on: [web]
    stop_grace_period: 2s
${more}`,
  });
  return path.join(folder, 'compose.yaml');
}

const revisions = async (family) => (await sampan.ecs.send(new ListTaskDefinitionsCommand({ familyPrefix: family }))).taskDefinitionArns.length;
const textAt = async (port) => (await (await fetch(`http://127.0.0.1:${port}/`)).text()).trim();

test('a compose file is deployed, found unchanged, updated, scaled, stopped and removed', async () => {
  const ports = [await freePort(), await freePort()];
  const first = await good('deploy', '--drain', '1', compose('one', ports));
  assert.match(first, /note: services\.web\.networks has no meaning here/);
  assert.match(first, /Service shop-web is steady/);
  const urls = first.match(/^http:\/\/\S+$/gm);
  assert.equal(urls.length, 2);
  assert.match(urls[0], new RegExp(`^http://shop-[0-9a-z]+\\.us-east-1\\.elb\\.localhost:${ports[0]}/$`));
  assert.equal(await textAt(ports[0]), 'one');
  assert.equal(await textAt(ports[1]), 'side');

  const from = Date.now();
  const again = await good('deploy', '--drain', '1', compose('one', ports));
  assert.ok(Date.now() - from < 3000, `an unchanged deployment took ${Date.now() - from} ms`);
  assert.match(again, /Task definition shop-web:1 \(unchanged\)/);
  assert.equal(await revisions('shop-web'), 1);

  const update = await good('deploy', '--drain', '1', compose('two', ports));
  assert.match(update, /Task definition shop-web:2/);
  assert.match(update, /Task definition shop-side:1 \(unchanged\)/);
  assert.equal(await textAt(ports[0]), 'two');

  const tasks = JSON.parse(await good('ps', '--json'));
  assert.deepEqual(tasks.map((task) => task.group).sort(), ['service:shop-side', 'service:shop-web']);
  assert.ok(tasks.every((task) => task.lastStatus === 'RUNNING'));
  const table = await good('ps');
  assert.match(table, /^TASK +CLUSTER +GROUP +DEFINITION +STATUS +ADDRESS +CREATED +NOTE\n/);
  assert.match(table, /default +service:shop-web +shop-web:2 +RUNNING +10\./);
  assert.match(await until('the log line', async () => {
    const out = await good('logs', 'shop-web');
    return /serving two/.test(out) && out;
  }, 10), /^\S+Z \w{8} serving/m);
  assert.match(await good('logs', tasks.find((task) => task.group.endsWith('web')).taskArn.split('/').pop().slice(0, 8)), /serving two/);
  assert.match(await good('events', 'shop-web'), /\(service shop-web\) has reached a steady state/);
  assert.match(await good('events', '--json'), /^\{"id":/);

  assert.match(await good('scale', 'shop-side', '2'), /runs 2 tasks/);
  assert.equal(JSON.parse(await good('ps', '--json')).length, 3);
  assert.match(await good('stop', 'shop-side'), /runs 0 tasks/);
  const status = JSON.parse(await good('status', '--json'));
  assert.equal(status.status, 'ok');
  assert.deepEqual(status.clusters.map((cluster) => [cluster.name, cluster.services, cluster.running]), [['default', 2, 1]]);
  assert.match(await good('status'), /^Sampan \d+\.\d+\S* at http/);
  assert.match(await good('ps', '--all'), /STOPPED .*Scaling activity initiated by/);

  await good('rm', 'shop-side');
  assert.equal(await textAt(ports[0]), 'two', 'the other service of the load balancer goes on');
  await good('rm', 'shop-web');
  assert.deepEqual((await sampan.elb.send(new DescribeLoadBalancersCommand({}))).LoadBalancers, []);
  assert.deepEqual((await sampan.elb.send(new DescribeTargetGroupsCommand({}))).TargetGroups, []);
  assert.deepEqual((await sampan.ec2.send(new DescribeSecurityGroupsCommand({}))).SecurityGroups.map((group) => group.GroupName), ['default']);
  assert.deepEqual(JSON.parse(await good('ps', '--json')), []);
});

test('a folder with a Dockerfile is deployed by its own digest, and a deployment that fails says why', async () => {
  const port = await freePort();
  const folder = context('solo', { Dockerfile: 'FROM tool:1\nEXPOSE 8000\nSTOPSIGNAL SIGKILL\nCMD ["httpd", "-f", "-p", "8000", "-h", "/www"]\n' });
  await good('deploy', folder, '--port', String(port), '--health-path', '/health', '--drain', '0');
  assert.equal((await (await fetch(`http://127.0.0.1:${port}/health`)).text()).trim(), 'ok');
  const { taskDefinition } = await sampan.aws('ecs', 'describe-task-definition', '--task-definition', 'solo');
  assert.match(taskDefinition.containerDefinitions[0].image, /\/solo@sha256:/);
  await good('rm', 'solo');
  const bad = await cli('deploy', context('bad', { Dockerfile: 'FROM tool:1\nCMD ["false"]\n' }), '--timeout', '60');
  assert.equal(bad.code, 1);
  assert.match(bad.err, /the deployment of bad failed: .*circuit breaker.* The last one: Essential container in task exited; bad exited 1\./);
  await good('rm', 'bad');
});

test('what is wrong in a compose file is named with its line', async () => {
  const at = (text) => cli('deploy', path.join(context('mistake', { 'compose.yaml': text }), 'compose.yaml'));
  for (const [text, said] of [
    ['services:\n  web:\n    image: [\n', /compose\.yaml: line \d+/],
    ['services:\n  web:\n    ports: ["80"]\n', /compose\.yaml: line 3: .*neither image nor build/],
    ['services:\n  web:\n    image: tool:1\n    ports: ["http"]\n', /line 4: port 'http' is not understood/],
    ['services:\n  web:\n    image: tool:1\n    depends_on: [db]\n', /'web' depends on 'db', which is not there/],
    ['volumes: {}\n', /no map 'services'/],
  ]) {
    const ran = await at(text);
    assert.equal(ran.code, 2, `${text}\n${ran.out}${ran.err}`);
    assert.match(ran.err, said);
  }
});

test('configure writes a profile that aws uses, and keeps the others', async () => {
  const env = { ...sampan.environment, AWS_CONFIG_FILE: `${work}/config`, AWS_SHARED_CREDENTIALS_FILE: `${work}/credentials` };
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_DEFAULT_REGION']) delete env[name];
  writeFileSync(env.AWS_CONFIG_FILE, '[profile work]\nregion = eu-west-1\n');
  for (let i = 0; i < 2; ++i) assert.equal((await cli('configure', { env })).code, 0);
  const config = readFileSync(env.AWS_CONFIG_FILE, 'utf8');
  assert.equal(config, `[profile work]\nregion = eu-west-1\n\n[profile sampan]\nregion = us-east-1\nendpoint_url = ${sampan.endpoint}\noutput = json\n`);
  const { stdout } = await sampan.command(AWS, ['--profile', 'sampan', '--endpoint-url', sampan.endpoint, 'sts', 'get-caller-identity'], { env });
  assert.equal(JSON.parse(stdout).Account, '000000000000');
  const byProfile = await sampan.command(path.join(BIN, 'sampan'), ['ps'], { env: { ...env, AWS_PROFILE: 'sampan', SAMPAN_ENDPOINT: '' } });
  assert.match(byProfile.stdout, /^TASK/);
});

test('exit codes: 0 done, 1 failed, 2 used wrongly; messages say what to do', async () => {
  assert.match(await good('--help'), /deploy/);
  assert.match(await good('--version'), /^sampan \d/);
  for (const args of [[], ['fly'], ['build'], ['scale', 'x'], ['scale', 'x', 'many'], ['deploy', '/no/such/path'], ['ps', '--no-such-flag'],
    ['image'], ['deploy', work, '--port', '99999'], ['image', 'import', '/no/such/file']]) {
    const ran = await cli(...args);
    assert.equal(ran.code, 2, `${args.join(' ')}: ${ran.out}${ran.err}`);
    assert.ok(ran.err.trim(), args.join(' '));
  }
  for (const args of [['logs', 'nothing'], ['rm', 'nothing'], ['scale', 'nothing', '1'], ['events', 'nothing'], ['stop', 'nothing'], ['image', 'rm', 'nothing:1'], ['image', 'bootstrap', 'plan9:4']]) {
    const ran = await cli(...args);
    assert.equal(ran.code, 1, `${args.join(' ')}: ${ran.out}${ran.err}`);
    assert.match(ran.err, /^sampan: .*(nothing|plan9)/m);
  }
  await good('image', 'rm', 'plain:2');
  assert.equal((await images()).some((image) => image.tags.includes('2')), false);
});

test('when no daemon answers, each command says so in one line', async () => {
  const nowhere = `http://127.0.0.1:${await freePort()}`;
  for (const args of [['status'], ['ps'], ['images'], ['logs', 'x'], ['deploy', context('off', { Dockerfile: 'FROM tool:1\n' })], ['build', path.join(work, 'off')]]) {
    const ran = await cli(...args, '--endpoint', nowhere);
    assert.equal(ran.code, 1, `${args.join(' ')}: ${ran.out}${ran.err}`);
    assert.match(ran.err, /^sampan: .*127\.0\.0\.1:\d+.*sampan up\n$/, args.join(' '));
  }
  const wrong = await cli('ps', { env: { ...sampan.environment, AWS_SECRET_ACCESS_KEY: 'wrong' } });
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /InvalidSignatureException/);
});
