// Services behind a load balancer, under constant requests: rolling updates lose none, also while the daemon is killed.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import {
  CreateClusterCommand, CreateServiceCommand, DeleteServiceCommand, DescribeServicesCommand, DescribeTasksCommand, ListTasksCommand,
  RegisterTaskDefinitionCommand, UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import {
  CreateListenerCommand, CreateLoadBalancerCommand, CreateRuleCommand, CreateTargetGroupCommand, DescribeTargetHealthCommand,
  ModifyTargetGroupAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { Sampan, freePort, until } from './harness.mjs';

let sampan, image, subnets, port, group, balancer, listener;
before(async () => {
  sampan = await Sampan.start();
  image = await sampan.pushBusybox();
  subnets = await sampan.subnets();
  port = await freePort();
  await sampan.ecs.send(new CreateClusterCommand({ clusterName: 'web' }));
  const made = await sampan.elb.send(new CreateLoadBalancerCommand({ Name: 'front', Subnets: subnets }));
  balancer = made.LoadBalancers[0];
  group = await targetGroup('web');
  const { Listeners } = await sampan.elb.send(new CreateListenerCommand({
    LoadBalancerArn: balancer.LoadBalancerArn, Protocol: 'HTTP', Port: port, DefaultActions: [{ Type: 'forward', TargetGroupArn: group }],
  }));
  listener = Listeners[0];
});
after(async () => { await sampan?.stop(); });

async function targetGroup(name, drain = 3) {
  const { TargetGroups } = await sampan.elb.send(new CreateTargetGroupCommand({
    Name: name, Protocol: 'HTTP', Port: 8080, TargetType: 'ip', VpcId: balancer.VpcId, HealthCheckPath: '/health',
    HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 2,
  }));
  await sampan.elb.send(new ModifyTargetGroupAttributesCommand({
    TargetGroupArn: TargetGroups[0].TargetGroupArn, Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: String(drain) }],
  }));
  return TargetGroups[0].TargetGroupArn;
}

/** A page that names its version; stops at once on SIGTERM, so that only right draining keeps requests whole. */
async function define(version, command) {
  const { taskDefinition } = await sampan.ecs.send(new RegisterTaskDefinitionCommand({
    family: 'web', requiresCompatibilities: ['FARGATE'], networkMode: 'awsvpc', cpu: '256', memory: '512',
    executionRoleArn: 'arn:aws:iam::000000000000:role/ecsTaskExecutionRole',
    containerDefinitions: [{
      name: 'web', image, essential: true, portMappings: [{ containerPort: 8080 }], stopTimeout: 2,
      command: command ?? ['sh', '-c', `mkdir -p /tmp/www; echo ok > /tmp/www/health; echo ${version} > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www`],
    }],
  }));
  return taskDefinition.taskDefinitionArn;
}

const service = async (name = 'web') => (await sampan.ecs.send(new DescribeServicesCommand({ cluster: 'web', services: [name] }))).services[0];
const steady = (name = 'web', seconds = 180) => until(`service ${name} is steady`, async () => {
  const found = await service(name);
  return found.deployments.length === 1 && found.runningCount === found.desiredCount && found.deployments[0].rolloutState === 'COMPLETED' && found;
}, seconds);

function get(agent, options = {}) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/index.html', agent, timeout: 15_000, ...options }, (response) => {
      let body = '';
      response.on('data', (data) => { body += data; });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: body.trim() }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', reject);
  });
}

/** Strict clients without retries, half of them with kept connections. */
class Load {
  constructor() {
    this.counts = {};
    this.failures = [];
    this.running = true;
    this.kept = new http.Agent({ keepAlive: true, maxSockets: 8 });
    this.closing = new http.Agent({ keepAlive: false });
    this.workers = Array.from({ length: 8 }, (_, index) => this.work(index % 2 ? this.kept : this.closing));
  }

  async work(agent) {
    while (this.running) {
      try {
        const { status, body } = await get(agent);
        if (status !== 200) throw new Error(`status ${status}: ${body.slice(0, 80)}`);
        this.counts[body] = (this.counts[body] ?? 0) + 1;
      } catch (error) {
        this.failures.push(`${new Date().toISOString()} ${error.message}`);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    }
  }

  async end() {
    this.running = false;
    await Promise.all(this.workers);
    this.kept.destroy();
  }
}

test('a service of four comes up behind its load balancer', async () => {
  await sampan.ecs.send(new CreateServiceCommand({
    cluster: 'web', serviceName: 'web', taskDefinition: await define('one'), desiredCount: 4, launchType: 'FARGATE',
    networkConfiguration: { awsvpcConfiguration: { subnets } },
    loadBalancers: [{ targetGroupArn: group, containerName: 'web', containerPort: 8080 }],
  }));
  const found = await steady();
  assert.equal(found.runningCount, 4);
  assert.ok(found.events.some((event) => event.message.includes('has reached a steady state.')));
  await sampan.aws('ecs', 'wait', 'services-stable', '--cluster', 'web', '--services', 'web');
  const { TargetHealthDescriptions } = await sampan.elb.send(new DescribeTargetHealthCommand({ TargetGroupArn: group }));
  assert.deepEqual(TargetHealthDescriptions.map((one) => one.TargetHealth.State), ['healthy', 'healthy', 'healthy', 'healthy']);
  const answer = await get();
  assert.deepEqual([answer.status, answer.body], [200, 'one']);
});

test('a rolling update under constant requests fails none', async () => {
  const load = new Load();
  await until('requests flow', () => (load.counts.one ?? 0) > 50);
  await sampan.ecs.send(new UpdateServiceCommand({ cluster: 'web', service: 'web', taskDefinition: await define('two') }));
  await steady();
  const before = load.counts.two;
  await until('only the new version answers', () => load.counts.two > before + 200);
  await load.end();
  assert.deepEqual(load.failures, []);
  assert.ok(load.counts.one > 50 && load.counts.two > 200, JSON.stringify(load.counts));
});

test('the same while the daemon is killed and restarted in the middle', async () => {
  const load = new Load();
  await sampan.ecs.send(new UpdateServiceCommand({ cluster: 'web', service: 'web', taskDefinition: await define('three') }));
  await until('the new version answers', () => load.counts.three > 0, 120);
  await sampan.kill();
  const asked = Object.values(load.counts).reduce((a, b) => a + b);
  await until('requests go on without the daemon', () => Object.values(load.counts).reduce((a, b) => a + b) > asked + 200);
  await sampan.restart();
  await steady();
  await load.end();
  assert.deepEqual(load.failures, []);
  const tasks = (await sampan.ecs.send(new ListTasksCommand({ cluster: 'web', serviceName: 'web' }))).taskArns;
  const { tasks: described } = await sampan.ecs.send(new DescribeTasksCommand({ cluster: 'web', tasks }));
  assert.equal(described.length, 4);
  assert.equal(new Set(described.map((task) => task.taskDefinitionArn)).size, 1);
});

test('a killed task is replaced', async () => {
  const [first] = (await sampan.ecs.send(new ListTasksCommand({ cluster: 'web', serviceName: 'web' }))).taskArns;
  await sampan.aws('ecs', 'stop-task', '--cluster', 'web', '--task', first);
  await until('another task runs', async () => {
    const { taskArns } = await sampan.ecs.send(new ListTasksCommand({ cluster: 'web', serviceName: 'web' }));
    return taskArns.length === 4 && !taskArns.includes(first) && (await service()).runningCount === 4;
  }, 120);
});

test('rules: host, path, redirect, fixed response', async () => {
  const rule = (Priority, Conditions, Actions) => sampan.elb.send(new CreateRuleCommand({ ListenerArn: listener.ListenerArn, Priority, Conditions, Actions }));
  await rule(1, [{ Field: 'path-pattern', Values: ['/teapot*'] }],
    [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '418', ContentType: 'text/plain', MessageBody: 'short "and" stout; $x %y' } }]);
  await rule(2, [{ Field: 'host-header', Values: ['old.example.com'] }],
    [{ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', Host: 'new.example.com', Path: '/#{path}', StatusCode: 'HTTP_301' } }]);
  const teapot = await get(undefined, { path: '/teapot/1' });
  assert.deepEqual([teapot.status, teapot.body], [418, 'short "and" stout; $x %y']);
  const moved = await get(undefined, { path: '/a?b=c', headers: { host: 'old.example.com' } });
  assert.equal(moved.status, 301);
  assert.equal(moved.headers.location, 'https://new.example.com:443/a?b=c');
  assert.equal((await get()).status, 200);
});

test('a bad image trips the circuit breaker, and the service rolls back', async () => {
  await sampan.ecs.send(new UpdateServiceCommand({
    cluster: 'web', service: 'web', taskDefinition: await define('bad', ['/no/such/program']),
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
  }));
  const back = await until('rolled back', async () => {
    const found = await service();
    return found.events.some((event) => event.message.includes('rolling back to deployment')) && found;
  }, 180);
  assert.ok(back.events.some((event) => event.message.includes('deployment failed: tasks failed to start.')));
  const found = await steady();
  assert.equal(found.runningCount, 4);
  assert.equal((await get()).body, 'three');
});

test('scale in drains, delete ends INACTIVE', async () => {
  const load = new Load();
  await sampan.ecs.send(new UpdateServiceCommand({ cluster: 'web', service: 'web', desiredCount: 1 }));
  await until('one task is left', async () => (await service()).runningCount === 1, 120);
  await load.end();
  assert.deepEqual(load.failures, []);
  await assert.rejects(sampan.ecs.send(new DeleteServiceCommand({ cluster: 'web', service: 'web' })),
    { name: 'InvalidParameterException', message: 'The service cannot be stopped while it is scaled above 0.' });
  await sampan.ecs.send(new DeleteServiceCommand({ cluster: 'web', service: 'web', force: true }));
  await sampan.aws('ecs', 'wait', 'services-inactive', '--cluster', 'web', '--services', 'web');
  assert.equal((await service()).status, 'INACTIVE');
  assert.equal((await get()).status, 503);
});

test('a port that another program holds', async () => {
  const taken = http.createServer();
  await new Promise((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const number = taken.address().port;
  await assert.rejects(sampan.elb.send(new CreateListenerCommand({
    LoadBalancerArn: balancer.LoadBalancerArn, Protocol: 'HTTP', Port: number, DefaultActions: [{ Type: 'forward', TargetGroupArn: group }],
  })), (error) => error.message.includes(String(number)) && /in use/.test(error.message));
  taken.close();
  assert.equal((await get(undefined, { path: '/teapot' })).status, 418, 'the other listener goes on');
});
