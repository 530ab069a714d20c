// A five-step Dockerfile, cold and fully cached; beside `docker build`. The base image is the same static busybox in both,
// and no step needs the network, so that what is measured is the builder.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { busyboxLayout } from '../tests/e2e/harness.mjs';
import { Report, Sampan, exec, p50, startDocker, timed } from './lib.mjs';

const ROUNDS = 5;
const report = new Report('build');
const context = mkdtempSync(path.join(tmpdir(), 'sampan-build-bench-'));
mkdirSync(path.join(context, 'app'));
for (let n = 0; n < 200; n += 1) writeFileSync(path.join(context, 'app', `file${n}`), `${n} `.repeat(2000));
// The argument differs each round, so that a cold build is cold without either side throwing its cache away.
writeFileSync(path.join(context, 'Dockerfile'), `FROM busybox:bench
ARG ROUND
RUN echo round $ROUND > /round && mkdir -p /data && seq 1 20000 > /data/numbers
COPY app /app
RUN cat /app/file* > /data/all && rm /app/file1
RUN echo done > /data/done
`);

async function measure(build) {
  const cold = []; const cached = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    cold.push(await timed(() => build(round)));
    cached.push(await timed(() => build(round)));
  }
  return { cold: p50(cold), cached: p50(cached) };
}

let ours, theirs;
try {
  const sampan = await Sampan.start({ flags: ['--log-level', 'warn'] });
  try {
    execFileSync('skopeo', ['copy', '--quiet', `oci:${busyboxLayout()}:latest`, `docker-archive:${context}/../bench-${process.pid}.tar:busybox:bench`]);
    await sampan.sampan('image', 'import', `${context}/../bench-${process.pid}.tar`, '-t', 'busybox:bench');
    ours = await measure((round) => sampan.sampan('build', '-t', 'bench:1', '--build-arg', `ROUND=${process.pid}-${round}`, context));
  } finally {
    await sampan.stop();
  }
  const engine = await startDocker();
  if (engine) {
    try {
      await exec('docker', ['-H', `unix://${engine.directory}/docker.sock`, 'load', '-i', `${context}/../bench-${process.pid}.tar`]);
      theirs = await measure((round) => engine.docker('build', '--network', 'host', '-t', 'bench:1', '--build-arg', `ROUND=${process.pid}-${round}`, context));
    } finally {
      await engine.stop();
    }
  }
} finally {
  rmSync(context, { recursive: true, force: true });
  rmSync(`${tmpdir()}/bench-${process.pid}.tar`, { force: true });
}
report.add('five steps, cold, p50 of 5', 'ms', ours.cold, { name: 'docker build', value: theirs?.cold }, { atMost: 0.7 });
report.add('five steps, fully cached, p50 of 5', 'ms', ours.cached, { name: 'docker build', value: theirs?.cached }, { atMost: 0.3 });
report.write();
