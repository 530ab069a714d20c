// The daemon over TLS: curl, skopeo with an authority of its own, the SDK; large bodies both ways; plain HTTP to a
// TLS port; a certificate that changes under the daemon; the name users call it by.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { after, before, test } from 'node:test';
import { createHash, randomBytes } from 'node:crypto';
import * as ecrApi from '@aws-sdk/client-ecr';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { Sampan, busyboxLayout, until } from './harness.mjs';

const files = mkdtempSync(path.join(tmpdir(), 'sampan-tls-'));
const at = (name) => path.join(files, name);
let sampan;

/** An authority, and certificates by it, made with openssl alone. */
function makeAuthority() {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', '/CN=test authority', '-keyout', at('ca.key'), '-out', at('ca.crt')], { stdio: 'ignore' });
}
function makeCertificate(name, serial) {
  execFileSync('openssl', ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost',
    '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`)], { stdio: 'ignore' });
  writeFileSync(at('extensions'), 'subjectAltName=DNS:localhost,DNS:registry.test\n');
  execFileSync('openssl', ['x509', '-req', '-in', at(`${name}.csr`), '-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-set_serial', `${serial}`,
    '-days', '2', '-extfile', at('extensions'), '-out', at(`${name}.crt`)], { stdio: 'ignore' });
}

before(async () => {
  makeAuthority();
  makeCertificate('first', 1001);
  makeCertificate('second', 1002);
  use('first');
  mkdirSync(at('cert-dir'));
  copyFileSync(at('ca.crt'), at('cert-dir/ca.crt'));
  sampan = await Sampan.start({ tls: { ca: at('ca.crt'), certificate: at('now.crt'), key: at('now.key') } });
});
after(async () => {
  await sampan?.stop();
  rmSync(files, { recursive: true, force: true });
});

function use(name) {
  copyFileSync(at(`${name}.key`), at('now.key'));
  copyFileSync(at(`${name}.crt`), at('now.crt'));
}

const curl = (...args) => sampan.command('curl', ['--silent', '--show-error', '--cacert', at('ca.crt'), '--max-time', '60', ...args]);
const basic = () => ['--user', `${sampan.accessKeyId}:${sampan.secretAccessKey}`];

/** What the handshake gives: {protocol, alpn, serial}, or the error's code. */
function shake(options = {}) {
  return new Promise((resolve) => {
    const socket = connect({ port: sampan.port, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(at('ca.crt')), ...options }, () => {
      resolve({ protocol: socket.getProtocol(), alpn: socket.alpnProtocol, serial: parseInt(socket.getPeerCertificate().serialNumber, 16) });
      socket.destroy();
    });
    socket.on('error', (error) => resolve({ error: error.code }));
  });
}

test('curl, the SDK and skopeo speak to it', async () => {
  const { stdout } = await curl(`${sampan.endpoint}/health`);
  assert.equal(JSON.parse(stdout).status, 'ok');
  const identity = await sampan.sts.send(new GetCallerIdentityCommand({}));
  assert.equal(identity.Account, '000000000000');
  const { repository } = await sampan.ecr.send(new ecrApi.CreateRepositoryCommand({ repositoryName: 'app' }));
  assert.equal(repository.repositoryUri, `localhost:${sampan.port}/app`);
  const { authorizationData } = await sampan.ecr.send(new ecrApi.GetAuthorizationTokenCommand({}));
  assert.equal(authorizationData[0].proxyEndpoint, `https://localhost:${sampan.port}`);
  const certificates = ['--dest-cert-dir', at('cert-dir')];
  const push = (flags) => sampan.command('skopeo', ['copy', '--quiet', ...flags, '--dest-creds', `${sampan.accessKeyId}:${sampan.secretAccessKey}`,
    `oci:${busyboxLayout()}:latest`, `docker://${sampan.registry}/app:1`]);
  await push(certificates);
  await assert.rejects(push([]), /certificate/);
  mkdirSync(at('back'));
  await sampan.command('skopeo', ['copy', '--quiet', '--src-cert-dir', at('cert-dir'), '--src-creds', `${sampan.accessKeyId}:${sampan.secretAccessKey}`,
    `docker://${sampan.registry}/app:1`, `dir:${at('back')}`]);
  const { stdout: challenge } = await curl('--include', `${sampan.endpoint}/v2/`);
  assert.match(challenge, /^HTTP\/1\.1 401/);
  assert.match(challenge, new RegExp(`realm="https://localhost:${sampan.port}/`, 'i'));
});

test('large blobs go both ways unharmed, whole and in ranges', async () => {
  const bytes = randomBytes(40 * 1024 * 1024 + 17);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  writeFileSync(at('blob'), bytes);
  const { stdout: head } = await curl(...basic(), '--request', 'POST', '--dump-header', '-', '--output', '/dev/null', `${sampan.endpoint}/v2/app/blobs/uploads/`);
  const location = new URL(/^location: (\S+)/im.exec(head)[1], sampan.endpoint);
  location.searchParams.set('digest', digest);
  const { stdout: status } = await curl(...basic(), '--upload-file', at('blob'), '--header', 'Content-Type: application/octet-stream',
    '--output', '/dev/null', '--write-out', '%{http_code}', location.href);
  assert.equal(status, '201');
  await curl(...basic(), '--fail', '--output', at('got'), `${sampan.endpoint}/v2/app/blobs/${digest}`);
  assert.ok(readFileSync(at('got')).equals(bytes));
  await curl(...basic(), '--fail', '--range', '1000000-1999999', '--output', at('got'), `${sampan.endpoint}/v2/app/blobs/${digest}`);
  assert.ok(readFileSync(at('got')).equals(bytes.subarray(1000000, 2000000)));
  const { downloadUrl } = await sampan.ecr.send(new ecrApi.GetDownloadUrlForLayerCommand({ repositoryName: 'app', layerDigest: digest }));
  assert.match(downloadUrl, /^https:/);
  await curl('--fail', '--output', at('got'), downloadUrl);
  assert.ok(readFileSync(at('got')).equals(bytes));
});

test('one connection carries many requests, and eight at once', async () => {
  const urls = Array(50).fill(`${sampan.endpoint}/health`);
  const { stdout } = await curl('--write-out', '%{num_connects} ', ...urls.flatMap((url) => ['--output', '/dev/null', url]));
  assert.equal(stdout.trim().split(' ').reduce((sum, n) => sum + Number(n), 0), 1);
  await Promise.all(Array.from({ length: 8 }, () => curl('--fail', ...urls.flatMap((url) => ['--output', '/dev/null', url]))));
});

test('TLS 1.2 and 1.3, nothing older; HTTP/1.1 by ALPN', async () => {
  assert.deepEqual(await shake({ ALPNProtocols: ['h2', 'http/1.1'] }), { protocol: 'TLSv1.3', alpn: 'http/1.1', serial: 1001 });
  assert.equal((await shake({ maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2');
  assert.ok((await shake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).error);
});

const raw = (bytes) => new Promise((resolve) => {
  const socket = connectPlain({ port: sampan.port, host: '127.0.0.1' }, () => socket.write(bytes));
  let text = '';
  socket.on('data', (part) => { text += part.toString('latin1'); });
  socket.on('error', () => {});
  socket.on('close', () => resolve(text));
  setTimeout(() => socket.end(), 300);
});

test('plain HTTP to the TLS port is told so; what is neither is let go', async () => {
  assert.match(await raw('GET /health HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*this port speaks HTTPS/);
  assert.doesNotMatch(await raw(Buffer.from([0, 1, 2, 3, 4, 5])), /HTTP/);
  assert.doesNotMatch(await raw(Buffer.concat([Buffer.from([0x16, 3, 1, 0, 50]), randomBytes(50)])), /HTTP/);
  assert.equal(JSON.parse((await curl(`${sampan.endpoint}/health`)).stdout).status, 'ok');
});

test('a changed certificate is shown without a restart, by itself and on SIGHUP; a broken one is not taken', async () => {
  use('second');
  await until('the second certificate is shown', async () => (await shake()).serial === 1002, 15);
  writeFileSync(at('now.key'), 'no key at all');
  await until('the log tells of the broken key', () => sampan.log.includes('the TLS certificate stays as it was'), 15);
  assert.equal((await shake()).serial, 1002);
  use('first');
  sampan.process.kill('SIGHUP');
  await until('the first certificate is shown again', async () => (await shake()).serial === 1001, 15);
  assert.equal(JSON.parse((await curl(`${sampan.endpoint}/health`)).stdout).status, 'ok');
});

test('--host-name is the name in repository URIs and endpoints, and images are found by it', async () => {
  sampan.flags.push('--host-name', 'registry.test');
  await sampan.kill();
  await sampan.restart();
  const { repositories } = await sampan.ecr.send(new ecrApi.DescribeRepositoriesCommand({}));
  assert.equal(repositories[0].repositoryUri, `registry.test:${sampan.port}/app`);
  const { authorizationData } = await sampan.ecr.send(new ecrApi.GetAuthorizationTokenCommand({}));
  assert.equal(authorizationData[0].proxyEndpoint, `https://registry.test:${sampan.port}`);
  const resolved = ['--resolve', `registry.test:${sampan.port}:127.0.0.1`];
  const { stdout } = await curl(...resolved, '--include', `https://registry.test:${sampan.port}/v2/`);
  assert.match(stdout, new RegExp(`realm="https://registry\\.test:${sampan.port}/`, 'i'));
});

test('wrong flags are told in one line', () => {
  const refuse = (...flags) => {
    try {
      execFileSync(path.join(process.env.SAMPAN_BIN ?? path.join(import.meta.dirname, '../../build/release/bin'), 'sampand'),
        ['--data-dir', at('d'), '--run-dir', at('r'), '--listen', '127.0.0.1:0', ...flags], { stdio: 'pipe' });
    } catch (error) {
      return { status: error.status, text: error.stderr.toString() };
    }
    return assert.fail('it started');
  };
  assert.match(refuse('--tls-certificate', at('now.crt')).text, /--tls-certificate and --tls-key go together/);
  assert.match(refuse('--tls-certificate', at('missing'), '--tls-key', at('now.key')).text, /read the TLS certificate .*missing/);
  const mixed = refuse('--tls-certificate', at('first.crt'), '--tls-key', at('second.key'));
  assert.match(mixed.text, /use the TLS key|read the TLS key/);
  assert.equal(mixed.status, 2);
  assert.match(refuse('--host-name', 'https://x').text, /--host-name takes a DNS name/);
});
