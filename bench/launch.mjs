// RunTask to RUNNING (its startedAt, seen by DescribeTasks) with the image local: one at a time and 50 at once. Beside
// `docker run -d`, and beside the bare runtime's create and start with its own namespaces and overlay, in turns with
// ours, so that both meet the same load.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DescribeTasksCommand, RegisterTaskDefinitionCommand, RunTaskCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import { Report, Sampan, exec, installed, p50, p95, sleep, startDocker, timed, until } from './lib.mjs';
import { busyboxLayout } from '../tests/e2e/harness.mjs';

const ROUNDS = Number(process.env.SAMPAN_BENCH_ROUNDS ?? 50);
const QUIET = 50; // ms before each start: none profits from what the one before has left warm in the kernel
const report = new Report('launch');

/** `between` is called after each single start. */
async function measureSampan(between) {
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
      await sleep(QUIET);
      const took = await timed(async () => {
        [arn] = await run(1);
        for (;;) {
          [task] = await describe([arn]);
          if (task.lastStatus === 'RUNNING') break;
          await sleep(5); // asking without a pause would take a core from what is measured
        }
      });
      if (n >= 0) {
        seen.push(took);
        inside.push(task.startedAt - task.createdAt);
      }
      await stop([arn]);
      if (n >= 0) await between();
    }
    const from = Date.now();
    const started = (await Promise.all([10, 10, 10, 10, 10].map(run))).flat();
    const last = await until('50 run', async () => {
      const tasks = await describe(started);
      return tasks.every((task) => task.lastStatus === 'RUNNING') && Math.max(...tasks.map((task) => task.startedAt.getTime()));
    }, 120, 250); // rarely: the figure is from startedAt, and fifty tasks are much to describe
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

/** runc create and start with fresh namespaces over a fresh overlay: one() for one, many() for fifty at once. */
function bareRuntime() {
  const runtime = installed('runc');
  if (!runtime) return { one: async () => {}, many: async () => undefined, close: () => {}, times: undefined };
  const directory = mkdtempSync(path.join(tmpdir(), 'sampan-bare-'));
  execFileSync('sh', ['-euc', `mkdir lower && cd lower && mkdir -p bin proc sys dev tmp && cp "$(command -v busybox)" bin/busybox && ln -s busybox bin/sleep`], { cwd: directory });
  const root = path.join(directory, 'runtime');
  const times = [];
  let made = 0;
  const prepare = () => {
    const id = `bare${process.pid}-${made += 1}`;
    const bundle = path.join(directory, id);
    for (const name of ['', 'upper', 'work', 'rootfs']) mkdirSync(path.join(bundle, name), { recursive: true });
    execFileSync(runtime, ['spec'], { cwd: bundle });
    const spec = JSON.parse(readFileSync(path.join(bundle, 'config.json'), 'utf8'));
    spec.process.terminal = false;
    spec.process.args = ['/bin/sleep', '100000'];
    spec.root.readonly = false;
    spec.linux.cgroupsPath = `/sampan-bare/${id}`;
    writeFileSync(path.join(bundle, 'config.json'), JSON.stringify(spec));
    return { id, bundle };
  };
  const call = (program, args) => new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore' });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')}: ${code}`))));
  });
  const start = async ({ id, bundle }) => {
    await call('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${directory}/lower,upperdir=${bundle}/upper,workdir=${bundle}/work`, path.join(bundle, 'rootfs')]);
    await call(runtime, ['--root', root, 'create', '--bundle', bundle, id]);
    await call(runtime, ['--root', root, 'start', id]);
  };
  const end = ({ id, bundle }) => {
    execFileSync(runtime, ['--root', root, 'delete', '--force', id]);
    execFileSync('umount', [path.join(bundle, 'rootfs')]);
  };
  return {
    times,
    one: async () => {
      const container = prepare();
      await sleep(QUIET);
      times.push(await timed(() => start(container)));
      end(container);
    },
    many: async () => {
      const containers = Array.from({ length: 50 }, prepare);
      await sleep(QUIET);
      const took = await timed(() => Promise.all(containers.map(start)));
      containers.forEach(end);
      return took;
    },
    close: () => {
      for (const controller of readdirSync('/sys/fs/cgroup')) {
        try { rmdirSync(path.join('/sys/fs/cgroup', controller, 'sampan-bare')); } catch { /* another's, or none */ }
      }
      try { rmdirSync('/sys/fs/cgroup/sampan-bare'); } catch { /* version 1, or none */ }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const runtime = bareRuntime();
let ours, bareMany;
try {
  ours = await measureSampan(runtime.one);
  bareMany = await runtime.many();
} finally {
  runtime.close();
}
const bare = runtime.times;
const docker = await measureDocker();
const name = process.env.SAMPAN_BENCH_DOCKER_BRIDGE ? 'docker run -d' : 'docker run -d --network none';
report.add(`RunTask to RUNNING seen by the client, p50 of ${ROUNDS}`, 'ms', p50(ours.seen), { name, value: docker && p50(docker.times) }, { atMost: 0.4 });
report.add('the same, p95', 'ms', p95(ours.seen), { name, value: docker && p95(docker.times) }, { atMost: 0.4 });
report.add('RunTask to RUNNING, p50, beside the bare runtime', 'ms', p50(ours.seen), { name: 'runc create+start', value: bare && p50(bare) }, { atMost: 1.6 });
report.add('createdAt to startedAt, p50', 'ms', p50(ours.inside), { name: 'runc create+start', value: bare && p50(bare) }, { atMost: 1.6 });
report.add('50 at once until all run', 'ms', ours.many, { name, value: docker?.many }, { atMost: 0.4 });
report.add('the same', 'ms', ours.many, { name: '50 runc create+start at once', value: bareMany }, { atMost: 1.6 });
report.write();
