// Two daemons on one machine: ending one leaves the other whole. And how a daemon refuses to start.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { CreateClusterCommand, CreateServiceCommand, DescribeServicesCommand, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { BIN, Sampan, until } from './harness.mjs';

async function runningService(sampan) {
  const image = await sampan.pushBusybox();
  await sampan.ecs.send(new CreateClusterCommand({ clusterName: 'default' }));
  await sampan.ecs.send(new RegisterTaskDefinitionCommand({
    family: 'idle', requiresCompatibilities: ['FARGATE'], networkMode: 'awsvpc', cpu: '256', memory: '512',
    executionRoleArn: 'arn:aws:iam::000000000000:role/ecsTaskExecutionRole',
    containerDefinitions: [{ name: 'idle', image, command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.2; done'] }],
  }));
  await sampan.ecs.send(new CreateServiceCommand({
    serviceName: 'idle', taskDefinition: 'idle', desiredCount: 2, launchType: 'FARGATE',
    networkConfiguration: { awsvpcConfiguration: { subnets: await sampan.subnets() } },
  }));
  await until('two tasks run', async () => (await running(sampan)) === 2);
}

const running = async (sampan) => (await sampan.ecs.send(new DescribeServicesCommand({ services: ['idle'] }))).services[0].runningCount;

test('purging one instance leaves the other whole', async () => {
  const [one, two] = [await Sampan.start(), await Sampan.start()];
  try {
    await Promise.all([runningService(one), runningService(two)]);
    await one.stop(); // checks that nothing of it is left
    assert.equal(await running(two), 2);
    const tables = await two.command('nft', ['list', 'tables']);
    assert.match(tables.stdout, new RegExp(`sampan-${two.instance}`));
    const image = await two.pushBusybox('another');
    assert.match(image, /another/);
  } finally {
    await two.stop();
  }
});

/** Runs sampand until it ends by itself. */
function refused(args) {
  return new Promise((resolve) => {
    execFile(path.join(BIN, 'sampand'), args, { timeout: 20_000 }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stderr: stderr.trim() }));
  });
}

test('what keeps a daemon from starting is one clear line and exit 2', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'sampan-refused-'));
  const places = ['--data-dir', path.join(directory, 'data'), '--run-dir', path.join(directory, 'run')];
  const holder = createServer();
  await new Promise((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address();
  const cases = [
    [['--nonsense'], /--nonsense/],
    [['--runtime', 'docker'], /--runtime/],
    [['--listen', 'everywhere'], /--listen takes ADDRESS:PORT/],
    [['--auth', 'open', '--listen', '0.0.0.0:0'], /loopback/],
    [['--account', '12'], /12 digits/],
    [['--vpc-cidr', '10.0.0.0/33'], /--vpc-cidr/],
    [['--config', path.join(directory, 'absent.conf')], /absent\.conf/],
    [['--listen', `127.0.0.1:${port}`, '--vpc-cidr', '10.250.0.0/19'], new RegExp(`${port}.*in use`)],
    [['--data-dir', '/proc/nowhere'], /\/proc\/nowhere/],
  ];
  for (const [flags, message] of cases) {
    const { code, stderr } = await refused(flags.includes('--data-dir') ? [...places.slice(2), ...flags] : [...places, ...flags]);
    assert.equal(code, 2, `${flags.join(' ')}: exit ${code}: ${stderr}`);
    assert.match(stderr, message);
    assert.equal(stderr.split('\n').length, 1, stderr);
  }
  holder.close();
  await new Promise((resolve) => execFile(path.join(BIN, 'sampan'), [...places, 'down', '--purge'], resolve));
  rmSync(directory, { recursive: true, force: true });
});

test('the same data directory is not served twice', async () => {
  const sampan = await Sampan.start();
  try {
    const { code, stderr } = await refused(['--data-dir', sampan.dataDir, '--run-dir', `${sampan.runDir}2`, '--listen', '127.0.0.1:0', '--vpc-cidr', '10.251.0.0/19']);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /in use|another sampand|already/);
  } finally {
    await sampan.stop();
  }
});
