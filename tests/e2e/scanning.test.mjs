// Image scanning: images with real package databases, an OSV directory that the test writes and changes, the AWS SDK.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  BatchDeleteImageCommand, BatchGetRepositoryScanningConfigurationCommand, CreateRepositoryCommand, DeleteRepositoryCommand,
  DescribeImageScanFindingsCommand, DescribeImagesCommand, DescribeRepositoriesCommand, GetRegistryScanningConfigurationCommand,
  PutImageScanningConfigurationCommand, PutRegistryScanningConfigurationCommand, StartImageScanCommand, waitUntilImageScanComplete,
} from '@aws-sdk/client-ecr';
import { Sampan, freePort, until } from './harness.mjs';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const sha256 = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

let sampan, auth, work, osv;
const OPENSSL = {
  id: 'DEBIAN-CVE-2023-0286', upstream: ['CVE-2023-0286'], published: '2023-02-08T00:00:00Z', modified: '2024-01-01T00:00:00Z',
  details: 'X.400 address type confusion in X.509 GeneralName.',
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:H' }],
  affected: [{ package: { ecosystem: 'Debian:12', name: 'openssl' }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.8-1' }] }] }],
};
const LODASH = {
  id: 'GHSA-35jh-r3h4-6jhm', aliases: ['CVE-2021-23337'], summary: 'Command Injection in lodash', modified: '2024-01-01T00:00:00Z',
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H' }],
  references: [{ type: 'ADVISORY', url: 'https://nvd.nist.gov/vuln/detail/CVE-2021-23337' }],
  affected: [{ package: { ecosystem: 'npm', name: 'lodash' }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '4.17.21' }] }] }],
};
const ZLIB = {
  id: 'CVE-2023-45853', details: 'MiniZip integer overflow.', modified: '2024-02-01T00:00:00Z',
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
  affected: [{ package: { ecosystem: 'Debian:12', name: 'zlib' }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }] }],
};
function writeRecord(record) {
  const target = path.join(osv, `${record.id}.json`);
  writeFileSync(`${target}.new`, JSON.stringify(record));
  renameSync(`${target}.new`, target);
}

const STATUS = `Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl
Version: 3.0.7-1

Package: zlib1g
Status: install ok installed
Architecture: amd64
Source: zlib (1:1.2.13.dfsg-1)
Version: 1:1.2.13.dfsg-1
`;
const OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n';
const LOCK = JSON.stringify({
  lockfileVersion: 3, packages: { '': { name: 'shop' }, 'node_modules/lodash': { version: '4.17.20' }, 'node_modules/ms': { version: '2.1.3' } },
});
const BASE = { 'etc/os-release': OS_RELEASE, 'var/lib/dpkg/status': STATUS };

before(async () => {
  work = mkdtempSync(path.join(tmpdir(), 'sampan-scan-'));
  osv = path.join(work, 'osv');
  mkdirSync(osv);
  writeRecord(OPENSSL);
  writeRecord(LODASH);
  sampan = await Sampan.start({ flags: ['--vulnerability-db', osv] });
  auth = { authorization: `Basic ${Buffer.from(await sampan.registryCredentials()).toString('base64')}` };
});
after(async () => {
  await sampan?.stop();
  rmSync(work, { recursive: true, force: true });
});

/** A gzip layer of these files (path: content). */
function layerOf(files) {
  const root = mkdtempSync(path.join(work, 'layer-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(root, name), content);
  }
  return execFileSync('tar', ['-C', root, '--sort=name', '--mtime=@0', '--owner=0', '--group=0', '-cz', '.']);
}

async function upload(repository, bytes) {
  const started = await fetch(`${sampan.endpoint}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: auth });
  const location = new URL(started.headers.get('location'), sampan.endpoint);
  location.searchParams.set('digest', sha256(bytes));
  const put = await fetch(location, { method: 'PUT', headers: { ...auth, 'content-type': 'application/octet-stream' }, body: bytes });
  assert.equal(put.status, 201);
  return { size: bytes.length, digest: sha256(bytes) };
}

/** Pushes an image of these layers, bottom first; gives its digest. */
async function push(repository, tag, layers, { note = '', mediaType = 'application/vnd.oci.image.config.v1+json' } = {}) {
  const config = await upload(repository, Buffer.from(JSON.stringify({
    architecture: 'amd64', os: 'linux', note, rootfs: { type: 'layers', diff_ids: layers.map((layer) => sha256(layer)) },
  })));
  const descriptors = [];
  for (const layer of layers) descriptors.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...await upload(repository, layer) });
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: { mediaType, ...config }, layers: descriptors });
  const answer = await fetch(`${sampan.endpoint}/v2/${repository}/manifests/${tag}`, { method: 'PUT', headers: { ...auth, 'content-type': MANIFEST }, body: manifest });
  assert.equal(answer.status, 201, await answer.text());
  return sha256(manifest);
}

const send = (command) => sampan.ecr.send(command);
const create = (repositoryName, scanOnPush = false) => send(new CreateRepositoryCommand({ repositoryName, imageScanningConfiguration: { scanOnPush } }));
const findings = (repositoryName, imageTag, more = {}) => send(new DescribeImageScanFindingsCommand({ repositoryName, imageId: { imageTag }, ...more }));
const settled = (repository, tag) => until(`the scan of ${repository}:${tag} ends`, async () => {
  const answer = await findings(repository, tag);
  return !['IN_PROGRESS', 'PENDING'].includes(answer.imageScanStatus.status) && answer;
}, 30);

test('scan on push: findings of the system and of a lock file, and the waiter', async () => {
  await create('shop', true);
  const digest = await push('shop', '1', [layerOf(BASE), layerOf({ 'app/package-lock.json': LOCK })]);
  const waited = await waitUntilImageScanComplete({ client: sampan.ecr, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { repositoryName: 'shop', imageId: { imageTag: '1' } });
  assert.equal(waited.state, 'SUCCESS');
  const answer = await findings('shop', '1');
  assert.deepEqual(answer.imageId, { imageDigest: digest, imageTag: '1' });
  assert.equal(answer.registryId, '000000000000');
  assert.deepEqual(answer.imageScanStatus, { status: 'COMPLETE', description: 'The scan was completed successfully.' });
  const { findings: found, findingSeverityCounts, imageScanCompletedAt, vulnerabilitySourceUpdatedAt } = answer.imageScanFindings;
  assert.deepEqual(findingSeverityCounts, { HIGH: 2 });
  assert.deepEqual(found.map((finding) => finding.name), ['CVE-2021-23337', 'CVE-2023-0286']);
  const openssl = found[1];
  assert.equal(openssl.severity, 'HIGH');
  assert.equal(openssl.uri, 'https://security-tracker.debian.org/tracker/CVE-2023-0286');
  assert.match(openssl.description, /X\.400/);
  assert.deepEqual(Object.fromEntries(openssl.attributes.map(({ key, value }) => [key, value])), {
    package_name: 'openssl', package_version: '3.0.7-1', fixed_in_version: '3.0.8-1',
    CVSS3_VECTOR: 'CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:H', CVSS3_SCORE: '7.4',
  });
  assert.ok(Math.abs(imageScanCompletedAt - Date.now()) < 60_000 && Math.abs(vulnerabilitySourceUpdatedAt - Date.now()) < 60_000);
  const { imageDetails: [detail] } = await send(new DescribeImagesCommand({ repositoryName: 'shop' }));
  assert.equal(detail.imageScanStatus.status, 'COMPLETE');
  assert.deepEqual(detail.imageScanFindingsSummary.findingSeverityCounts, { HIGH: 2 });
});

test('findings come in pages', async () => {
  const first = await findings('shop', '1', { maxResults: 1 });
  assert.deepEqual(first.imageScanFindings.findings.map((finding) => finding.name), ['CVE-2021-23337']);
  assert.deepEqual(first.imageScanFindings.findingSeverityCounts, { HIGH: 2 });
  const second = await findings('shop', '1', { maxResults: 1, nextToken: first.nextToken });
  assert.deepEqual(second.imageScanFindings.findings.map((finding) => finding.name), ['CVE-2023-0286']);
  assert.equal(second.nextToken, undefined);
  await assert.rejects(findings('shop', '1', { nextToken: 'nonsense' }), { name: 'InvalidParameterException' });
});

test('an upper layer that removes packages, and one that replaces them', async () => {
  const status = STATUS.replace('3.0.7-1', '3.0.8-1');
  await push('shop', '2', [layerOf(BASE), layerOf({ 'app/package-lock.json': LOCK }), layerOf({ 'var/lib/dpkg/status': status, 'app/.wh.package-lock.json': '' })]);
  assert.deepEqual((await settled('shop', '2')).imageScanFindings.findings, []);
  await push('shop', '3', [layerOf(BASE), layerOf({ 'app/x/package-lock.json': LOCK }), layerOf({ '.wh.app': '', 'var/lib/.wh..wh..opq': '' })]);
  const gone = await settled('shop', '3');
  assert.deepEqual(gone.imageScanFindings.findingSeverityCounts, {});
});

test('StartImageScan: once a day, of images only, of what is there', async () => {
  await create('manual');
  const digest = await push('manual', 'a', [layerOf(BASE)]);
  await assert.rejects(findings('manual', 'a'), {
    name: 'ScanNotFoundException',
    message: "Image scan does not exist for the image with '{imageDigest:'null', imageTag:'a'}' in the repository with name 'manual' in the registry with id '000000000000'",
  });
  const started = await send(new StartImageScanCommand({ repositoryName: 'manual', imageId: { imageTag: 'a' } }));
  assert.equal(started.imageScanStatus.status, 'IN_PROGRESS');
  assert.deepEqual(started.imageId, { imageDigest: digest, imageTag: 'a' });
  assert.deepEqual((await settled('manual', 'a')).imageScanFindings.findingSeverityCounts, { HIGH: 1 });
  const again = new StartImageScanCommand({ repositoryName: 'manual', imageId: { imageDigest: digest } });
  await assert.rejects(send(again), { name: 'LimitExceededException', message: 'The scan quota per image has been exceeded. Wait and try again.' });
  await assert.rejects(send(new StartImageScanCommand({ repositoryName: 'shop', imageId: { imageTag: '1' } })), { name: 'LimitExceededException' });
  await assert.rejects(send(new StartImageScanCommand({ repositoryName: 'manual', imageId: { imageTag: 'no' } })), { name: 'ImageNotFoundException' });
  await assert.rejects(send(new StartImageScanCommand({ repositoryName: 'absent', imageId: { imageTag: 'no' } })), { name: 'RepositoryNotFoundException' });
  await assert.rejects(findings('absent', 'x'), { name: 'RepositoryNotFoundException' });
  await assert.rejects(findings('manual', 'x'), { name: 'ImageNotFoundException' });
  await push('manual', 'artifact', [layerOf(BASE)], { mediaType: 'application/vnd.example.thing+json' });
  await assert.rejects(send(new StartImageScanCommand({ repositoryName: 'manual', imageId: { imageTag: 'artifact' } })), { name: 'UnsupportedImageTypeException' });
});

test('an image of no known system and no packages fails as ECR says it', async () => {
  await push('manual', 'scratch', [layerOf({ 'hello': 'x' })]);
  await send(new StartImageScanCommand({ repositoryName: 'manual', imageId: { imageTag: 'scratch' } }));
  const { imageScanStatus, imageScanFindings } = await settled('manual', 'scratch');
  assert.deepEqual(imageScanStatus, { status: 'FAILED', description: 'UnsupportedImageError: The operating system and/or package manager are not supported.' });
  assert.equal(imageScanFindings, undefined);
  const waiter = await waitUntilImageScanComplete({ client: sampan.ecr, maxWaitTime: 30 }, { repositoryName: 'manual', imageId: { imageTag: 'scratch' } }).catch((error) => error);
  assert.match(String(waiter.message ?? waiter.reason), /FAILURE|FAILED/);
});

test('a damaged layer fails its own scan and no other', async () => {
  await push('manual', 'damaged', [layerOf(BASE).subarray(0, 200)]);
  await send(new StartImageScanCommand({ repositoryName: 'manual', imageId: { imageTag: 'damaged' } }));
  const { imageScanStatus } = await settled('manual', 'damaged');
  assert.equal(imageScanStatus.status, 'FAILED');
  assert.match(imageScanStatus.description, /could not be scanned/);
  // Not counted for the day: it may be tried again.
  await send(new StartImageScanCommand({ repositoryName: 'manual', imageId: { imageTag: 'damaged' } }));
});

test('settings of repository and registry', async () => {
  const { registryScanningConfiguration: none } = await send(new PutRegistryScanningConfigurationCommand({ scanType: 'BASIC', rules: [] }));
  assert.deepEqual(none, { scanType: 'BASIC', rules: [] });
  const put = await send(new PutImageScanningConfigurationCommand({ repositoryName: 'manual', imageScanningConfiguration: { scanOnPush: true } }));
  assert.deepEqual(put.imageScanningConfiguration, { scanOnPush: true });
  const { repositories: [repository] } = await send(new DescribeRepositoriesCommand({ repositoryNames: ['manual'] }));
  assert.equal(repository.imageScanningConfiguration.scanOnPush, true);
  await send(new PutImageScanningConfigurationCommand({ repositoryName: 'manual', imageScanningConfiguration: { scanOnPush: false } }));
  await assert.rejects(send(new PutImageScanningConfigurationCommand({ repositoryName: 'absent', imageScanningConfiguration: {} })), { name: 'RepositoryNotFoundException' });
  const rule = (scanFrequency, filter) => ({ scanFrequency, repositoryFilters: [{ filter, filterType: 'WILDCARD' }] });
  await assert.rejects(send(new PutRegistryScanningConfigurationCommand({ scanType: 'BASIC', rules: [rule('CONTINUOUS_SCAN', '*')] })), { name: 'InvalidParameterException' });
  const rules = [rule('SCAN_ON_PUSH', 'team/*')];
  await send(new PutRegistryScanningConfigurationCommand({ scanType: 'BASIC', rules }));
  const { scanningConfiguration, registryId } = await send(new GetRegistryScanningConfigurationCommand({}));
  assert.equal(registryId, '000000000000');
  assert.deepEqual(scanningConfiguration, { scanType: 'BASIC', rules });
  await create('team/api');
  const batch = await send(new BatchGetRepositoryScanningConfigurationCommand({ repositoryNames: ['team/api', 'manual', 'absent'] }));
  assert.deepEqual(batch.scanningConfigurations, [
    { repositoryArn: 'arn:aws:ecr:us-east-1:000000000000:repository/team/api', repositoryName: 'team/api', scanOnPush: true, scanFrequency: 'SCAN_ON_PUSH', appliedScanFilters: rules[0].repositoryFilters },
    { repositoryArn: 'arn:aws:ecr:us-east-1:000000000000:repository/manual', repositoryName: 'manual', scanOnPush: false, scanFrequency: 'MANUAL', appliedScanFilters: [] },
  ]);
  assert.deepEqual(batch.failures, [{ repositoryName: 'absent', failureCode: 'REPOSITORY_NOT_FOUND', failureReason: "The repository with name 'absent' does not exist in the registry with id '000000000000'" }]);
  await push('team/api', '1', [layerOf(BASE)]);
  assert.deepEqual((await settled('team/api', '1')).imageScanFindings.findingSeverityCounts, { HIGH: 1 });
});

test('enhanced and continuous: findings follow the database, without reading a layer again', async () => {
  await send(new PutRegistryScanningConfigurationCommand({ scanType: 'ENHANCED', rules: [{ scanFrequency: 'CONTINUOUS_SCAN', repositoryFilters: [{ filter: 'live*', filterType: 'WILDCARD' }] }] }));
  await create('live');
  const digest = await push('live', '1', [layerOf(BASE)]);
  const answer = await settled('live', '1');
  assert.deepEqual(answer.imageScanStatus, { status: 'ACTIVE', description: 'Continuous scan is selected for image.' });
  const [finding] = answer.imageScanFindings.enhancedFindings;
  assert.equal(finding.title, 'CVE-2023-0286 - openssl');
  assert.equal(finding.type, 'PACKAGE_VULNERABILITY');
  assert.equal(finding.score, 7.4);
  assert.equal(finding.fixAvailable, 'YES');
  assert.equal(finding.resources[0].details.awsEcrContainerImage.imageHash, digest);
  assert.deepEqual(finding.packageVulnerabilityDetails.vulnerablePackages, [
    { arch: 'amd64', epoch: 0, fixedInVersion: '3.0.8-1', name: 'libssl3', packageManager: 'OS', release: '1', version: '3.0.7' },
  ]);
  await assert.rejects(send(new StartImageScanCommand({ repositoryName: 'live', imageId: { imageTag: '1' } })), { name: 'ValidationException', message: 'This feature is disabled' });

  writeRecord(ZLIB);
  const after = await until('the new record is found', async () => {
    const now = await findings('live', '1');
    return now.imageScanFindings.findingSeverityCounts.CRITICAL === 1 && now;
  }, 30);
  assert.equal(after.imageScanStatus.status, 'ACTIVE');
  assert.deepEqual(after.imageScanFindings.enhancedFindings.map((one) => one.packageVulnerabilityDetails.vulnerabilityId), ['CVE-2023-45853', 'CVE-2023-0286']);
  assert.equal(+after.imageScanFindings.enhancedFindings[0].firstObservedAt, +finding.firstObservedAt);
  assert.equal(sampan.log.split(`read the packages of ${digest}`).length - 1, 1, 'its layers were read once');
  rmSync(path.join(osv, `${ZLIB.id}.json`));
  await until('the record that went is forgotten', async () => !(await findings('live', '1')).imageScanFindings.findingSeverityCounts.CRITICAL, 30);
  // Images that were there before are scanned continuously as well, once a rule says so.
  await send(new PutRegistryScanningConfigurationCommand({ rules: [{ scanFrequency: 'CONTINUOUS_SCAN', repositoryFilters: [{ filter: '*', filterType: 'WILDCARD' }] }] }));
  assert.equal((await settled('shop', '1')).imageScanStatus.status, 'ACTIVE');
  await send(new PutRegistryScanningConfigurationCommand({ scanType: 'BASIC', rules: [] }));
  assert.equal((await findings('live', '1')).imageScanFindings.findings.length, 1);
});

test('the command line: a table, JSON, a limit for CI, a bill of materials', async () => {
  const { stdout } = await sampan.sampan('image', 'scan', 'shop:1');
  assert.match(stdout, /SEVERITY +NAME +PACKAGE +VERSION +FIXED IN/);
  assert.match(stdout, /HIGH +CVE-2021-23337 +lodash +4\.17\.20 +4\.17\.21/);
  assert.match(stdout, /2 findings: 2 high/);
  const json = JSON.parse((await sampan.sampan('--json', 'image', 'scan', 'shop:1', '--fail-on', 'critical')).stdout);
  assert.deepEqual(json.counts, { HIGH: 2 });
  assert.equal(json.findings[1].fixedIn, '3.0.8-1');
  await assert.rejects(sampan.sampan('image', 'scan', 'shop:1', '--fail-on', 'high'), (error) => error.code === 1 && /2 findings are high or worse/.test(error.stderr));
  await assert.rejects(sampan.sampan('image', 'scan', 'shop:1', '--fail-on', 'awful'), { code: 2 });
  await assert.rejects(sampan.sampan('image', 'scan', 'manual:scratch'), (error) => error.code === 1 && /not supported/.test(error.stderr));
  await assert.rejects(sampan.sampan('image', 'scan', 'shop:absent'), { code: 1 });
  await push('manual', 'fresh', [layerOf(BASE)], { note: 'fresh' });
  assert.match((await sampan.sampan('image', 'scan', 'manual:fresh', '--ignore-unfixed')).stdout, /1 findings: 1 high/); // started by it
  const bom = JSON.parse((await sampan.sampan('image', 'sbom', 'shop:1')).stdout);
  assert.equal(bom.bomFormat, 'CycloneDX');
  assert.deepEqual(bom.components.map((one) => one.purl).filter(Boolean).sort(), [
    'pkg:deb/debian/libssl3@3.0.7-1?arch=amd64&distro=debian-12', 'pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1?arch=amd64&distro=debian-12', 'pkg:npm/lodash@4.17.20', 'pkg:npm/ms@2.1.3',
  ]);
  const spdx = JSON.parse((await sampan.sampan('image', 'sbom', 'shop:1', '--format', 'spdx')).stdout);
  assert.equal(spdx.spdxVersion, 'SPDX-2.3');
  assert.equal(spdx.packages.length, 5);
  await assert.rejects(sampan.sampan('image', 'sbom', 'shop:absent'), { code: 1 });
});

test('kill -9 in the middle of scans: each is done after the restart', async () => {
  await create('crash', true);
  const layer = layerOf(BASE);
  const tags = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const note of tags) await push('crash', note, [layer], { note });
  await sampan.kill();
  await sampan.restart();
  for (const tag of tags) {
    const answer = await settled('crash', tag);
    assert.equal(answer.imageScanStatus.status, 'COMPLETE');
    assert.deepEqual(answer.imageScanFindings.findingSeverityCounts, { HIGH: 1 });
  }
});

test('what was found goes with its image', async () => {
  const files = () => readdirSync(path.join(sampan.dataDir, 'scans'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.match(/reports|inventories/)).length;
  const before = files();
  await send(new BatchDeleteImageCommand({ repositoryName: 'crash', imageIds: [{ imageTag: 'a' }] }));
  await until('two files less', () => files() === before - 2, 10);
  await assert.rejects(findings('crash', 'a'), { name: 'ImageNotFoundException' });
  await send(new DeleteRepositoryCommand({ repositoryName: 'crash', force: true }));
  await until('none of its files', () => files() === before - 12, 10);
});

test('without a database: the status says so, and a database that comes is used', async () => {
  const kept = sampan.flags;
  await create('later', true);
  for (const flags of [[], kept]) {
    sampan.process.kill('SIGTERM');
    await sampan.exit;
    sampan.flags = flags;
    await sampan.restart();
    if (flags.length === 0) {
      await push('later', '1', [layerOf(BASE)]);
      const answer = await settled('later', '1');
      assert.equal(answer.imageScanStatus.status, 'FAILED');
      assert.match(answer.imageScanStatus.description, /--vulnerability-db/);
      assert.equal(answer.imageScanFindings, undefined);
    }
  }
  await until('it is scanned now', async () => (await findings('later', '1')).imageScanStatus.status === 'COMPLETE', 20);
});

test('a database fetched from a URL, as zip archives, asked for only when it changed', async () => {
  const archive = path.join(work, 'all.zip');
  execFileSync('zip', ['-q', '-j', archive, ...readdirSync(osv).map((name) => path.join(osv, name))]);
  const requests = [];
  const server = createServer((request, response) => {
    requests.push([request.url, request.headers['if-none-match']]);
    if (request.url !== '/db/Debian/all.zip') return response.writeHead(404).end();
    if (request.headers['if-none-match'] === '"one"') return response.writeHead(304).end();
    response.writeHead(200, { etag: '"one"' }).end(readFileSync(archive));
  });
  const port = await freePort();
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    for (const round of [1, 2]) {
      sampan.process.kill('SIGTERM');
      await sampan.exit;
      sampan.flags = ['--vulnerability-db', `http://127.0.0.1:${port}/db/`];
      requests.length = 0;
      await sampan.restart();
      await until('it is asked for', () => requests.some(([url]) => url === '/db/Debian/all.zip'), 10);
      assert.equal(requests.find(([url]) => url === '/db/Debian/all.zip')[1], round === 1 ? undefined : '"one"');
      if (round === 1) await create('remote', true);
      await push('remote', `${round}`, [layerOf(BASE)], { note: `${round}` });
      assert.deepEqual((await settled('remote', `${round}`)).imageScanFindings.findingSeverityCounts, { HIGH: 1 });
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
