// Tasks through the AWS SDK and `aws`: states, exits, limits, logs, and what a killed daemon leaves running.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateClusterCommand, DescribeTasksCommand, ListTasksCommand, RegisterTaskDefinitionCommand, RunTaskCommand, StopTaskCommand,
} from '@aws-sdk/client-ecs';
import { FilterLogEventsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { AWS, Sampan, sleep, until } from './harness.mjs';

let sampan, image, subnets;
before(async () => {
  sampan = await Sampan.start();
  image = await sampan.pushBusybox();
  subnets = await sampan.subnets();
  await sampan.ecs.send(new CreateClusterCommand({ clusterName: 'c' }));
});
after(async () => { await sampan?.stop(); });

async function define(family, container, more = {}) {
  const containers = Array.isArray(container) ? container : [container];
  const { taskDefinition } = await sampan.ecs.send(new RegisterTaskDefinitionCommand({
    family, requiresCompatibilities: ['FARGATE'], networkMode: 'awsvpc', cpu: '256', memory: '512',
    executionRoleArn: 'arn:aws:iam::000000000000:role/ecsTaskExecutionRole',
    containerDefinitions: containers.map((one, index) => ({ name: `c${index}`, image, essential: true, ...one })), ...more,
  }));
  return taskDefinition.taskDefinitionArn;
}

async function runTask(taskDefinition, more = {}) {
  const { tasks, failures } = await sampan.ecs.send(new RunTaskCommand({
    cluster: 'c', taskDefinition, launchType: 'FARGATE',
    networkConfiguration: { awsvpcConfiguration: { subnets: [subnets[0]], assignPublicIp: 'ENABLED' } }, ...more,
  }));
  assert.deepEqual(failures, []);
  return tasks[0].taskArn;
}

const describe = async (arn) => (await sampan.ecs.send(new DescribeTasksCommand({ cluster: 'c', tasks: [arn] }))).tasks[0];
const reach = (arn, status, seconds = 60) => until(`${status} of ${arn}`, async () => {
  const task = await describe(arn);
  return task.lastStatus === status && task;
}, seconds);
const logOf = (container, extra = {}) => ({
  logDriver: 'awslogs',
  options: { 'awslogs-group': '/e2e', 'awslogs-region': 'us-east-1', 'awslogs-stream-prefix': container, 'awslogs-create-group': 'true', ...extra },
});

test('a task runs to its end: states, times, exit code, logs', async () => {
  const definition = await define('hello', {
    command: ['sh', '-c', 'echo "out $WHO"; echo err >&2; printf last; exit 7'],
    environment: [{ name: 'WHO', value: 'world' }], logConfiguration: logOf('hello'),
  });
  const arn = await runTask(definition);
  const task = await reach(arn, 'STOPPED');
  assert.equal(task.stopCode, 'EssentialContainerExited');
  assert.equal(task.stoppedReason, 'Essential container in task exited');
  assert.equal(task.containers[0].exitCode, 7);
  assert.equal(task.containers[0].reason, undefined);
  assert.match(task.containers[0].imageDigest, /^sha256:/);
  const times = ['createdAt', 'pullStartedAt', 'pullStoppedAt', 'startedAt', 'executionStoppedAt', 'stoppedAt'].map((name) => {
    assert.ok(task[name], name);
    return task[name].getTime();
  });
  assert.deepEqual([...times].sort((a, b) => a - b), times);
  const id = arn.split('/').pop();
  const { events } = await until('all lines are stored', async () => {
    const page = await sampan.logs.send(new GetLogEventsCommand({ logGroupName: '/e2e', logStreamName: `hello/c0/${id}`, startFromHead: true }));
    return page.events.length === 3 && page;
  });
  assert.deepEqual(events.map((event) => event.message).sort(), ['err', 'last', 'out world']);
});

test('overrides, user, working directory, entry point and its own address', async () => {
  const definition = await define('own', {
    entryPoint: ['sh', '-c'], command: ['echo never'], user: 'app', workingDirectory: '/www', logConfiguration: logOf('own'),
    environment: [{ name: 'A', value: '1' }, { name: 'B', value: '2' }],
  });
  const arn = await runTask(definition, {
    overrides: { containerOverrides: [{ name: 'c0', command: ['id -un; pwd; echo $A$B; hostname; cat /proc/self/status | grep -E "^(CapEff|NoNewPrivs|Seccomp):"'], environment: [{ name: 'B', value: '3' }] }] },
  });
  const task = await reach(arn, 'STOPPED');
  assert.equal(task.containers[0].exitCode, 0, JSON.stringify(task.containers[0]));
  const lines = await until('its lines', async () => {
    const { events } = await sampan.logs.send(new FilterLogEventsCommand({ logGroupName: '/e2e', logStreamNamePrefix: 'own/' }));
    return events.length >= 7 && events.map((event) => event.message);
  });
  assert.deepEqual(lines.slice(0, 3), ['app', '/www', '13']);
  assert.match(lines[3], /^ip-\d+-\d+-\d+-\d+/);
  assert.ok(lines.some((line) => /NoNewPrivs:\s+1/.test(line)), lines.join('|'));
  assert.ok(lines.some((line) => /Seccomp:\s+2/.test(line)), lines.join('|'));
});

test('containers of a task share localhost; the stop ends both', async () => {
  const definition = await define('pair', [
    { command: ['httpd', '-f', '-p', '8000', '-h', '/www'], stopTimeout: 2 }, // as PID 1 it has no SIGTERM handler
    { command: ['sh', '-c', 'until wget -q -O- http://127.0.0.1:8000/health; do sleep 0.1; done; trap "exit 0" TERM; while :; do sleep 0.1; done'], logConfiguration: logOf('pair') },
  ]);
  const arn = await runTask(definition);
  const running = await reach(arn, 'RUNNING');
  assert.match(running.containers[0].networkInterfaces[0].privateIpv4Address, /^10\./);
  assert.equal(running.attachments[0].type, 'ElasticNetworkInterface');
  assert.equal(running.attachments[0].status, 'ATTACHED');
  await until('the sidecar was reached', async () => {
    const { events } = await sampan.logs.send(new FilterLogEventsCommand({ logGroupName: '/e2e', logStreamNamePrefix: 'pair/' }));
    return events.some((event) => event.message === 'ok');
  });
  await sampan.ecs.send(new StopTaskCommand({ cluster: 'c', task: arn, reason: 'enough' }));
  const task = await reach(arn, 'STOPPED');
  assert.equal(task.stopCode, 'UserInitiated');
  assert.equal(task.stoppedReason, 'enough');
  assert.deepEqual(task.containers.map((container) => container.exitCode), [137, 0]);
});

test('SIGTERM, then SIGKILL after the stop timeout', async () => {
  const definition = await define('stubborn', { command: ['sh', '-c', 'trap "" TERM; while :; do sleep 0.2; done'], stopTimeout: 2 });
  const arn = await runTask(definition);
  await reach(arn, 'RUNNING');
  const from = Date.now();
  await sampan.ecs.send(new StopTaskCommand({ cluster: 'c', task: arn }));
  const task = await reach(arn, 'STOPPED');
  assert.ok(Date.now() - from >= 1900);
  assert.equal(task.stoppedReason, 'Task stopped by user');
  assert.equal(task.containers[0].exitCode, 137);
});

test('an image that does not exist', async () => {
  const definition = await define('noimage', { image: `${sampan.registry}/absent:1` });
  const task = await reach(await runTask(definition), 'STOPPED');
  assert.equal(task.stopCode, 'TaskFailedToStart');
  assert.match(task.stoppedReason, /^CannotPullContainerError: .*absent:1/);
  assert.equal(task.startedAt, undefined);
});

test('a command that does not exist', async () => {
  const definition = await define('nocommand', { command: ['/no/such/program'] });
  const task = await reach(await runTask(definition), 'STOPPED');
  assert.equal(task.stopCode, 'TaskFailedToStart');
  assert.match(`${task.stoppedReason} ${task.containers[0].reason}`, /Cannot(Start|Create)ContainerError: .*\/no\/such\/program/);
  assert.equal(task.containers[0].exitCode, undefined);
});

test('a memory hog is killed and says so', async () => {
  const definition = await define('hog', { command: ['sh', '-c', 'x=a; while :; do x=$x$x; done'] });
  const task = await reach(await runTask(definition), 'STOPPED', 120);
  assert.equal(task.containers[0].exitCode, 137);
  assert.equal(task.containers[0].reason, 'OutOfMemoryError: Container killed due to memory usage');
});

test('what is wrong in a call is refused with AWS’s text', async () => {
  await assert.rejects(define('bad', { command: ['true'] }, { memory: '513' }), { name: 'ClientException', message: /No Fargate configuration exists for given values/ });
  const definition = await define('fine', { command: ['true'] });
  await assert.rejects(runTask(definition, { networkConfiguration: undefined }),
    { name: 'InvalidParameterException', message: "Network Configuration must be provided when networkMode 'awsvpc' is specified." });
  await assert.rejects(runTask(definition, { cluster: 'absent' }), { name: 'ClusterNotFoundException', message: 'Cluster not found.' });
  await assert.rejects(runTask(definition, { overrides: { containerOverrides: [{ name: 'other' }] } }), { name: 'InvalidParameterException' });
  const { failures } = await sampan.ecs.send(new DescribeTasksCommand({ cluster: 'c', tasks: ['0123456789abcdef0123456789abcdef'] }));
  assert.equal(failures[0].reason, 'MISSING');
});

test('egress and the metadata endpoint work inside', async () => {
  const definition = await define('meta', {
    command: ['sh', '-c', 'wget -q -O- $ECS_CONTAINER_METADATA_URI_V4/task; echo; cat /etc/resolv.conf'], logConfiguration: logOf('meta'),
  });
  const arn = await runTask(definition);
  const task = await reach(arn, 'STOPPED');
  assert.equal(task.containers[0].exitCode, 0);
  const { events } = await sampan.logs.send(new FilterLogEventsCommand({ logGroupName: '/e2e', logStreamNamePrefix: 'meta/' }));
  const metadata = JSON.parse(events.map((event) => event.message).find((line) => line.startsWith('{')));
  assert.equal(metadata.TaskARN, arn);
  assert.equal(metadata.Family, 'meta');
  assert.ok(events.some((event) => event.message.startsWith('nameserver')));
});

test('kill -9 of the daemon: tasks go on, are adopted, and an end meanwhile is known', async () => {
  const long = await define('long', { command: ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done'], logConfiguration: logOf('long') });
  const short = await define('short', { command: ['sh', '-c', 'sleep 2; exit 5'] });
  const [first, second] = [await runTask(long), await runTask(short)];
  await reach(first, 'RUNNING');
  await reach(second, 'RUNNING');
  await sampan.kill();
  await sleep(3000);
  await sampan.restart();
  assert.equal((await reach(second, 'STOPPED', 20)).containers[0].exitCode, 5);
  assert.equal((await describe(first)).lastStatus, 'RUNNING');
  await sampan.ecs.send(new StopTaskCommand({ cluster: 'c', task: first }));
  await reach(first, 'STOPPED');
  const seen = [];
  let nextToken;
  do {
    const page = await sampan.logs.send(new FilterLogEventsCommand({ logGroupName: '/e2e', logStreamNamePrefix: 'long/', nextToken }));
    seen.push(...page.events.map((event) => Number(event.message)));
    nextToken = page.nextToken;
  } while (nextToken);
  assert.ok(seen.length > 40, `${seen.length} lines`);
  assert.deepEqual(seen, seen.map((_, index) => index + 1), 'no line is lost or doubled');
});

test('the waiters of aws end truthfully, and aws logs tail shows the lines', async () => {
  const definition = await define('waited', { command: ['sh', '-c', 'echo waited for; sleep 1'], logConfiguration: logOf('waited') });
  const ran = await sampan.aws('ecs', 'run-task', '--cluster', 'c', '--task-definition', definition, '--launch-type', 'FARGATE',
    '--network-configuration', `awsvpcConfiguration={subnets=[${subnets[0]}]}`);
  const arn = ran.tasks[0].taskArn;
  await sampan.aws('ecs', 'wait', 'tasks-stopped', '--cluster', 'c', '--tasks', arn);
  assert.equal((await describe(arn)).lastStatus, 'STOPPED');
  const { taskArns } = await sampan.ecs.send(new ListTasksCommand({ cluster: 'c', family: 'waited', desiredStatus: 'STOPPED' }));
  assert.deepEqual(taskArns, [arn]);
  const { stdout } = await sampan.command(AWS, ['--endpoint-url', sampan.endpoint, 'logs', 'tail', '/e2e', '--log-stream-name-prefix', 'waited/', '--since', '5m']);
  assert.match(stdout, /waited for/);
});
