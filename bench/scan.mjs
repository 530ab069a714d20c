// How long a scan takes and what a large database costs: a generated database (RECORDS, default 200000) and the base image of
// IMAGE (default debian:bookworm, made from the distribution's packages). Nothing is compared: there is no scanner of images in Debian.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DescribeImageScanFindingsCommand, DescribeImagesCommand, PutRegistryScanningConfigurationCommand, StartImageScanCommand } from '@aws-sdk/client-ecr';
import { Sampan, until } from '../tests/e2e/harness.mjs';

const RECORDS = Number(process.env.RECORDS ?? 200_000);
const IMAGE = process.env.IMAGE ?? 'debian:bookworm';
const work = mkdtempSync(path.join(tmpdir(), 'sampan-scan-bench-'));
const resident = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** Shaped as Debian's own records: three releases, versions listed, a CVSS vector, a paragraph. */
function record(i, installed) {
  const name = i < installed.length ? installed[i] : `package-${i % 30_000}`;
  const affected = ['11', '12', '13'].map((release) => ({
    package: { ecosystem: `Debian:${release}`, name },
    ranges: [{ type: 'ECOSYSTEM', events: i % 2 ? [{ introduced: '0' }] : [{ introduced: '0' }, { fixed: `${i % 9}.${i % 31}-${i % 4}` }] }],
    versions: Array.from({ length: 8 }, (_, n) => `${i % 9}.${n}-1`),
  }));
  return {
    id: `DEBIAN-CVE-${2000 + (i % 26)}-${i}`, upstream: [`CVE-${2000 + (i % 26)}-${i}`], modified: '2026-01-01T00:00:00Z', published: '2025-01-01T00:00:00Z',
    details: `A flaw numbered ${i} in ${name} lets an attacker do what they should not. `.repeat(4),
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N' }], affected,
    references: [{ type: 'ADVISORY', url: `https://security-tracker.debian.org/tracker/CVE-${i}` }],
  };
}

let sampan;
try {
  const plain = path.join(work, 'records');
  mkdirSync(plain);
  const installed = execFileSync('dpkg-query', ['-Wf', '${source:Package}\n'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  for (let i = 0; i < RECORDS; ++i) writeFileSync(path.join(plain, `${i}.json`), JSON.stringify(record(i, installed)));
  const osv = path.join(work, 'osv');
  mkdirSync(osv);
  execFileSync('zip', ['-q', '-r', '-j', path.join(osv, 'all.zip'), plain], { stdio: 'ignore' });
  rmSync(plain, { recursive: true });

  sampan = await Sampan.start();
  await sampan.sampan('image', 'bootstrap', IMAGE);
  const without = resident(sampan.process.pid);
  const [repository, tag] = IMAGE.split(':');
  const { imageDetails: [{ imageSizeInBytes }] } = await sampan.ecr.send(new DescribeImagesCommand({ repositoryName: repository, imageIds: [{ imageTag: tag }] }));
  sampan.process.kill('SIGTERM');
  await sampan.exit;
  sampan.flags = ['--vulnerability-db', osv];
  let began = performance.now();
  await sampan.restart();
  await until('the database is loaded', () => /vulnerability database .*: \d+ records/.test(sampan.log), 600, 20);
  const load = performance.now() - began;
  const said = /vulnerability database .*: (\d+) records of (\d+) packages, (\d+) MiB/.exec(sampan.log);
  const loaded = resident(sampan.process.pid);

  const ask = { repositoryName: repository, imageId: { imageTag: tag } };
  const ended = () => until('the scan ends', async () => {
    const answer = await sampan.ecr.send(new DescribeImageScanFindingsCommand(ask));
    return ['COMPLETE', 'ACTIVE', 'FAILED'].includes(answer.imageScanStatus.status) && answer;
  }, 300, 5);
  began = performance.now();
  await sampan.ecr.send(new StartImageScanCommand(ask));
  const answer = await ended();
  const first = performance.now() - began;

  // Continuous: the same image matched anew after a change.
  await sampan.ecr.send(new PutRegistryScanningConfigurationCommand({ scanType: 'ENHANCED', rules: [{ scanFrequency: 'CONTINUOUS_SCAN', repositoryFilters: [{ filter: '*', filterType: 'WILDCARD' }] }] }));
  const completed = +answer.imageScanFindings.imageScanCompletedAt;
  execFileSync('touch', [path.join(osv, 'all.zip')]);
  await until('it is matched anew', async () => +(await sampan.ecr.send(new DescribeImageScanFindingsCommand(ask))).imageScanFindings.imageScanCompletedAt > completed, 300, 20);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${sampan.process.pid}/status`, 'utf8'))[1]) / 1024;
  const result = {
    records: Number(said[1]), databaseMiB: Number(said[3]), loadSeconds: +(load / 1000).toFixed(1), residentWithoutMiB: +without.toFixed(0),
    residentLoadedMiB: +loaded.toFixed(0), peakMiB: +peak.toFixed(0), image: IMAGE, imageMiB: +(imageSizeInBytes / 2 ** 20).toFixed(1),
    scanMilliseconds: +first.toFixed(0), status: answer.imageScanStatus, counts: answer.imageScanFindings.findingSeverityCounts,
  };
  console.log(JSON.stringify(result, null, 1));
  mkdirSync('build/bench', { recursive: true });
  writeFileSync('build/bench/scan.json', JSON.stringify(result));
} finally {
  await sampan?.stop();
  rmSync(work, { recursive: true, force: true });
}
