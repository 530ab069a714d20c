// RunTask to RUNNING (its startedAt, seen by DescribeTasks) with the image local: one at a time and 50 at once. Beside
// `docker run -d`, and beside the bare runtime's create and start with its own namespaces and overlay.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DescribeTasksCommand, RegisterTaskDefinitionCommand, RunTaskCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import { Report, Sampan, exec, installed, p50, p95, sleep, startDocker, timed, until } from './lib.mjs';
import { busyboxLayout } from '../tests/e2e/harness.mjs';

const ROUNDS = 50;
const report = new Report('launch');

async function measureSampan() {
  const sampan = await Sampan.start({ flags: ['--log-level', 'warn'] });
  try {
    const image = await sampan.pushBusybox();
    await sampan.ecs.send(new RegisterTaskDefinitionCommand({
      family: 'launch', requiresCompatibilities: ['FARGATE'], networkMode: 'awsvpc', cpu: '256', memory: '512',
      executionRoleArn: 'arn:aws:iam::000000000000:role/ecsTaskExecutionRole',
      containerDefinitions: [{ name: 'c', image, command: ['sleep', '100000'], stopTimeout: 2 }],
    }));
    const subnets = await sampan.subnets();
    const run = async (count) => (await sampan.ecs.send(new RunTaskCommand({
      taskDefinition: 'launch', count, launchType: 'FARGATE', networkConfiguration: { awsvpcConfiguration: { subnets } },
    }))).tasks.map((task) => task.taskArn);
    const describe = async (tasks) => (await sampan.ecs.send(new DescribeTasksCommand({ tasks }))).tasks;
    const stop = async (arns) => {
      await Promise.all(arns.map((task) => sampan.ecs.send(new StopTaskCommand({ task }))));
      await until('all stopped', async () => (await describe(arns)).every((task) => task.lastStatus === 'STOPPED'), 120);
    };
    const seen = []; const inside = [];
    for (let n = -3; n < ROUNDS; n += 1) { // three to warm up
      let arn, task;
      const took = await timed(async () => {
        [arn] = await run(1);
        for (;;) {
          [task] = await describe([arn]);
          if (task.lastStatus === 'RUNNING') break;
          await sleep(1);
        }
      });
      if (n >= 0) {
        seen.push(took);
        inside.push(task.startedAt - task.createdAt);
      }
      await stop([arn]);
    }
    const from = Date.now();
    const started = (await Promise.all([10, 10, 10, 10, 10].map(run))).flat();
    const last = await until('50 run', async () => {
      const tasks = await describe(started);
      return tasks.every((task) => task.lastStatus === 'RUNNING') && Math.max(...tasks.map((task) => task.startedAt.getTime()));
    }, 120, 5);
    await stop(started);
    return { seen, inside, many: last - from };
  } finally {
    await sampan.stop();
  }
}

async function measureDocker() {
  const engine = await startDocker();
  if (!engine) return undefined;
  try {
    await exec('skopeo', ['copy', '--quiet', `oci:${busyboxLayout()}:latest`, `docker-daemon:busybox:bench`, '--dest-daemon-host', `unix://${engine.directory}/docker.sock`]);
    const names = []; const times = [];
    const network = process.env.SAMPAN_BENCH_DOCKER_BRIDGE ? [] : ['--network', 'none'];
    const run = async (name) => {
      await engine.docker('run', '-d', ...network, '--name', name, 'busybox:bench', 'sleep', '100000');
      names.push(name);
    };
    for (let n = -3; n < ROUNDS; n += 1) {
      const took = await timed(() => run(`one${n + 3}`));
      if (n >= 0) times.push(took);
      await engine.docker('rm', '-f', names.pop());
    }
    const many = await timed(() => Promise.all(Array.from({ length: 50 }, (_, n) => run(`many${n}`))));
    await engine.docker('rm', '-f', ...names);
    return { times, many };
  } finally {
    await engine.stop();
  }
}

/** runc create and start with fresh namespaces over a fresh overlay, one after the other. */
async function measureBare() {
  const runtime = installed('runc');
  if (!runtime) return undefined;
  const directory = mkdtempSync(path.join(tmpdir(), 'sampan-bare-'));
  try {
    execFileSync('sh', ['-euc', `mkdir lower && cd lower && mkdir -p bin proc sys dev tmp && cp "$(command -v busybox)" bin/busybox && ln -s busybox bin/sleep`], { cwd: directory });
    const times = [];
    for (let n = 0; n < ROUNDS; n += 1) {
      const bundle = path.join(directory, `b${n}`);
      for (const name of ['', 'upper', 'work', 'rootfs']) mkdirSync(path.join(bundle, name), { recursive: true });
      await exec(runtime, ['spec'], { cwd: bundle });
      const spec = JSON.parse(execFileSync('cat', [path.join(bundle, 'config.json')], { encoding: 'utf8' }));
      spec.process.terminal = false;
      spec.process.args = ['/bin/sleep', '100000'];
      spec.root.readonly = false;
      spec.linux.cgroupsPath = `/sampan-bare/${n}`;
      writeFileSync(path.join(bundle, 'config.json'), JSON.stringify(spec));
      const id = `bare${process.pid}-${n}`;
      const root = path.join(directory, 'runtime');
      times.push(await timed(async () => {
        execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${directory}/lower,upperdir=${bundle}/upper,workdir=${bundle}/work`, path.join(bundle, 'rootfs')]);
        execFileSync(runtime, ['--root', root, 'create', '--bundle', bundle, id], { stdio: 'ignore' });
        execFileSync(runtime, ['--root', root, 'start', id], { stdio: 'ignore' });
      }));
      execFileSync(runtime, ['--root', root, 'delete', '--force', id]);
      execFileSync('umount', [path.join(bundle, 'rootfs')]);
    }
    return times;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const ours = await measureSampan();
const bare = await measureBare();
const docker = await measureDocker();
const name = process.env.SAMPAN_BENCH_DOCKER_BRIDGE ? 'docker run -d' : 'docker run -d --network none';
report.add('RunTask to RUNNING seen by the client, p50 of 50', 'ms', p50(ours.seen), { name, value: docker && p50(docker.times) }, { atMost: 0.4 });
report.add('the same, p95', 'ms', p95(ours.seen), { name, value: docker && p95(docker.times) }, { atMost: 0.4 });
report.add('RunTask to RUNNING, p50, beside the bare runtime', 'ms', p50(ours.seen), { name: 'runc create+start', value: bare && p50(bare) }, { atMost: 1.6 });
report.add('createdAt to startedAt, p50', 'ms', p50(ours.inside), { name: 'runc create+start', value: bare && p50(bare) }, { atMost: 1.6 });
report.add('50 at once until all run', 'ms', ours.many, { name, value: docker?.many }, { atMost: 0.4 });
report.write();
