// The API front door as wrong and hostile clients meet it: every answer is AWS's error for that protocol.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import net from 'node:net';
import { ECSClient, ListClustersCommand } from '@aws-sdk/client-ecs';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { DescribeLoadBalancersCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { DescribeVpcsCommand } from '@aws-sdk/client-ec2';
import { Sampan } from './harness.mjs';

let sampan;
before(async () => { sampan = await Sampan.start(); });
after(async () => { await sampan?.stop(); });

const ECS = 'AmazonEC2ContainerServiceV20141113';

const signed = (...call) => sampan.signed(...call);

/** Sends raw bytes and gives all that comes back until the peer closes (or 5 s). */
function raw(bytes) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(sampan.port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (data) => { text += data; });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    setTimeout(() => { socket.destroy(); resolve(text); }, 5000).unref();
  });
}

test('health and metrics answer without a signature', async () => {
  const health = await (await fetch(`${sampan.endpoint}/health`)).json();
  assert.equal(health.status, 'ok');
  assert.match(health.version, /^\d+\.\d+/);
  assert.ok(health.services.ecs);
  const metrics = await (await fetch(`${sampan.endpoint}/metrics`)).text();
  assert.match(metrics, /^# TYPE sampan_/m);
});

test('a good call carries a request id', async () => {
  const { $metadata } = await sampan.ecs.send(new ListClustersCommand({}));
  assert.match($metadata.requestId, /^[0-9a-f-]{36}$/);
  const identity = await sampan.sts.send(new GetCallerIdentityCommand({}));
  assert.equal(identity.Account, '000000000000');
  assert.equal(identity.Arn, 'arn:aws:iam::000000000000:root');
});

test('query and EC2 protocols answer in XML that the SDK reads', async () => {
  assert.deepEqual((await sampan.elb.send(new DescribeLoadBalancersCommand({}))).LoadBalancers, []);
  const { Vpcs } = await sampan.ec2.send(new DescribeVpcsCommand({}));
  assert.equal(Vpcs.length, 1);
  assert.equal(Vpcs[0].IsDefault, true);
});

test('a wrong secret, an unknown key, no signature and an old clock are refused', async () => {
  const send = (options) => new ECSClient({ ...sampan.clientOptions, ...options }).send(new ListClustersCommand({}));
  await assert.rejects(send({ credentials: { accessKeyId: sampan.accessKeyId, secretAccessKey: 'wrong' } }), { name: 'InvalidSignatureException' });
  await assert.rejects(send({ credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' } }), { name: 'UnrecognizedClientException' });
  await assert.rejects(send({ systemClockOffset: -3600_000 }), (error) => /InvalidSignatureException|SignatureDoesNotMatch/.test(error.name));
  const bare = await fetch(sampan.endpoint, { method: 'POST', headers: { 'x-amz-target': `${ECS}.ListClusters` }, body: '{}' });
  assert.equal(bare.status, 400);
  assert.match(await bare.text(), /MissingAuthenticationToken/);
});

test('unknown operations and services say so', async () => {
  const operation = await signed(`${ECS}.FlyToTheMoon`, '{}');
  assert.equal(operation.status, 400);
  assert.match(operation.text, /UnknownOperationException/);
  const service = await signed('NoSuchService_20200101.DoIt', '{}');
  assert.equal(service.status, 400);
  assert.match(service.text, /UnknownOperationException/);
  const absent = await signed(`${ECS}.ExecuteCommand`, JSON.stringify({ command: 'ls', interactive: true, task: 'x' }));
  assert.match(absent.text, /NotImplemented/);
});

test('malformed bodies are answered with the serialization fault', async () => {
  for (const body of ['{', '[]', '{"clusters": 7}', '{"clusters": [1]}', '"x"', '{"clusters":["a"]} trailing', '['.repeat(5000)]) {
    const answer = await signed(`${ECS}.DescribeClusters`, body);
    assert.equal(answer.status, 400, body.slice(0, 30));
    assert.match(answer.text, /SerializationException/, body.slice(0, 30));
  }
});

test('a missing member is named', async () => {
  const answer = await signed(`${ECS}.DescribeTasks`, '{}');
  assert.equal(answer.status, 400);
  assert.match(JSON.parse(answer.text).__type, /ClientException|InvalidParameterException/);
  const query = await signed('', 'Action=CreateTargetGroup&Version=2015-12-01', { type: 'application/x-www-form-urlencoded', service: 'elasticloadbalancing' });
  assert.equal(query.status, 400);
  assert.match(query.text, /<Code>ValidationError<\/Code>/);
});

test('hostile requests end in an answer, never in a dead daemon', async () => {
  assert.match(await raw('GARBAGE\r\n\r\n'), /^HTTP\/1\.1 400/);
  assert.match(await raw(`GET /health HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
  assert.match(await raw('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'), /^HTTP\/1\.1 400/);
  assert.match(await raw('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\nX-Amz-Target: a.b\r\n\r\n'), /^HTTP\/1\.1 4\d\d/);
  assert.equal((await fetch(`${sampan.endpoint}/health`)).status, 200);
});

test('pages are walked with tokens, and a made-up token is refused', async () => {
  await assert.rejects(sampan.ecs.send(new ListClustersCommand({ nextToken: 'nonsense' })), { name: 'InvalidParameterException' });
});
