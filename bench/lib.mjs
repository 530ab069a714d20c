// What all benchmarks share: an instance, peers that are started when installed, statistics, and the report.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem, release } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT, Sampan, freePort, sleep, until } from '../tests/e2e/harness.mjs';

export { ROOT, Sampan, freePort, sleep, until };
export const exec = promisify(execFile);

export const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
};
export const p50 = (values) => quantile(values, 0.5);
export const p95 = (values) => quantile(values, 0.95);

export function installed(program) {
  try {
    return execFileSync('sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

export async function timed(work) {
  const from = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - from) / 1e6;
}

/** One line a figure: ours, the peer's, their ratio beside the goal. */
export class Report {
  constructor(name) {
    this.name = name;
    this.rows = [];
    this.notes = [];
  }

  /** `goal` like {atMost: 0.4} or {atLeast: 50}: of ours / peer (or of ours, when there is no peer). */
  add(what, unit, ours, peer, goal) {
    const ratio = peer?.value ? ours / peer.value : undefined;
    const judged = ratio ?? (peer ? undefined : ours);
    const met = goal && judged !== undefined ? (goal.atMost !== undefined ? judged <= goal.atMost : judged >= goal.atLeast) : undefined;
    this.rows.push({ what, unit, ours, peer: peer?.name, peer_value: peer?.value, ratio, goal, met });
    const show = (value) => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
    let line = `${what}: ${show(ours)} ${unit}`;
    if (peer?.value) line += `, ${peer.name} ${show(peer.value)} ${unit}, ratio ${ratio.toFixed(2)}`;
    else if (peer) line += ` (${peer.name}: not installed here)`;
    if (goal) line += ` (goal ${goal.atMost !== undefined ? '≤' : '≥'} ${goal.atMost ?? goal.atLeast}${met === undefined ? '' : met ? ', met' : ', MISSED'})`;
    console.log(line);
  }

  note(text) {
    this.notes.push(text);
    console.log(text);
  }

  write() {
    const directory = path.join(ROOT, 'build/bench');
    mkdirSync(directory, { recursive: true });
    const machine = { cpu: cpus()[0].model, cores: cpus().length, memory_gib: Math.round(totalmem() / 2 ** 30), kernel: release() };
    writeFileSync(path.join(directory, `${this.name}.json`), `${JSON.stringify({ name: this.name, machine, rows: this.rows, notes: this.notes }, null, 2)}\n`);
  }
}

/** A program that runs until stop(); its output is kept for when it fails. */
export class Peer {
  constructor(command, args, options = {}) {
    this.output = '';
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => { this.output = (this.output + text).slice(-100_000); });
    this.exit = new Promise((resolve) => this.process.on('exit', resolve));
    this.process.on('error', (error) => { this.output += error; });
  }

  async stop() {
    this.process.kill('SIGTERM');
    if (!(await Promise.race([this.exit.then(() => true), sleep(15_000)]))) this.process.kill('SIGKILL');
  }
}

/** A Docker engine of our own, with its own data; undefined where it is not installed or does not run. */
export async function startDocker() {
  if (!installed('dockerd')) return undefined;
  const directory = mkdtempSync(path.join(tmpdir(), 'sampan-docker-'));
  const socket = `unix://${directory}/docker.sock`;
  const peer = new Peer('dockerd', ['--data-root', `${directory}/data`, '--exec-root', `${directory}/exec`, '-H', socket,
    '--pidfile', `${directory}/pid`, '--bridge', 'none', '--iptables=false', '--ip-masq=false'].filter((flag) => process.env.SAMPAN_BENCH_DOCKER_BRIDGE ? !/bridge|none|iptables|masq/.test(flag) : true));
  const docker = (...args) => exec('docker', ['-H', socket, ...args], { maxBuffer: 64 << 20 });
  try {
    await until('dockerd answers', async () => (await docker('version')).stdout, 30, 200);
  } catch (error) {
    console.log(`dockerd does not run here: ${peer.output.split('\n').slice(-3).join(' ')}`);
    await peer.stop();
    rmSync(directory, { recursive: true, force: true });
    return undefined;
  }
  return {
    docker,
    directory,
    stop: async () => {
      await peer.stop();
      // containerd's own child ends with it; its mounts are taken down first.
      try { execFileSync('sh', ['-c', `grep -o "${directory}[^ ]*" /proc/self/mountinfo | sort -r | xargs -r umount -l`]); } catch { /* none */ }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** wrk with a script that sends one prepared request over and over (or what the Lua text `lua` makes of it). Gives requests a second, latency in ms, errors. */
export async function wrk({ url, connections = 16, seconds = 5, threads = 1, method = 'GET', headers = {}, body = '', lua = '' }) {
  const directory = mkdtempSync(path.join(tmpdir(), 'sampan-wrk-'));
  const script = path.join(directory, 'request.lua');
  const quote = (text) => `[==[${text}]==]`;
  writeFileSync(script, `wrk.method = ${quote(method)}\n${body ? `wrk.body = ${quote(body)}\n` : ''}${Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length').map(([name, value]) => `wrk.headers[ ${quote(name.toLowerCase() === 'host' ? 'Host' : name)} ] = ${quote(value)}`).join('\n')}
${lua}
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end\n`);
  const { stdout } = await exec('wrk', ['-t', String(threads), '-c', String(connections), '-d', `${seconds}s`, '--latency', '-s', script, url], { timeout: (seconds + 60) * 1000 });
  rmSync(directory, { recursive: true, force: true });
  const found = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(stdout);
  if (!found) throw new Error(stdout);
  const [requests, micros, median, p99, errors] = found.slice(1).map(Number);
  return { rate: requests / (micros / 1e6), p50: median / 1000, p99: p99 / 1000, errors };
}

/** Resident memory of a process in MB. */
export function residentMegabytes(pid) {
  const text = execFileSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8' });
  return Number(/VmRSS:\s+(\d+)/.exec(text)[1]) / 1000;
}

export { existsSync };
