// Start to the first good /health, and resident memory with 0 and with 20 running tasks.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DescribeTasksCommand, ListTasksCommand, RegisterTaskDefinitionCommand, RunTaskCommand } from '@aws-sdk/client-ecs';
import { BIN } from '../tests/e2e/harness.mjs';
import { Report, Sampan, exec, freePort, p50, residentMegabytes, sleep, timed, until } from './lib.mjs';

const report = new Report('idle');
const starts = [];
for (let round = 0; round < 7; round += 1) {
  const directory = mkdtempSync(path.join(tmpdir(), 'sampan-idle-'));
  const places = ['--data-dir', `${directory}/data`, '--run-dir', `${directory}/run`];
  const port = await freePort();
  let child;
  const start = () => timed(async () => {
    child = spawn(path.join(BIN, 'sampand'), [...places, '--listen', `127.0.0.1:${port}`, '--vpc-cidr', '10.240.0.0/19'], { stdio: 'ignore' });
    for (;;) {
      try {
        if ((await fetch(`http://127.0.0.1:${port}/health`)).ok) return;
      } catch { /* not yet */ }
      await sleep(1);
    }
  });
  const end = async () => {
    const gone = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  };
  await start(); // the first one makes the data directory and tries the runtime out
  await end();
  starts.push(await start());
  await end();
  await exec(path.join(BIN, 'sampan'), [...places, 'down', '--purge']);
  rmSync(directory, { recursive: true, force: true });
}
report.add('start to /health ok, p50 of 7', 'ms', p50(starts), undefined, { atMost: 150 });

const sampan = await Sampan.start({ flags: ['--log-level', 'warn'] });
try {
  await sleep(1000);
  report.add('resident memory, no task', 'MB', residentMegabytes(sampan.process.pid), undefined, { atMost: 40 });
  const image = await sampan.pushBusybox();
  await sampan.ecs.send(new RegisterTaskDefinitionCommand({
    family: 'idle', requiresCompatibilities: ['FARGATE'], networkMode: 'awsvpc', cpu: '256', memory: '512',
    executionRoleArn: 'arn:aws:iam::000000000000:role/ecsTaskExecutionRole',
    containerDefinitions: [{ name: 'idle', image, command: ['sleep', '100000'], stopTimeout: 2 }],
  }));
  const subnets = await sampan.subnets();
  for (let n = 0; n < 2; n += 1) {
    await sampan.ecs.send(new RunTaskCommand({ taskDefinition: 'idle', count: 10, launchType: 'FARGATE', networkConfiguration: { awsvpcConfiguration: { subnets } } }));
  }
  await until('20 tasks run', async () => {
    const { taskArns } = await sampan.ecs.send(new ListTasksCommand({}));
    const { tasks } = await sampan.ecs.send(new DescribeTasksCommand({ tasks: taskArns }));
    return tasks.filter((task) => task.lastStatus === 'RUNNING').length === 20;
  });
  await sleep(2000);
  report.add('resident memory, 20 running tasks', 'MB', residentMegabytes(sampan.process.pid), undefined, { atMost: 40 });
} finally {
  await sampan.stop();
}
report.write();
