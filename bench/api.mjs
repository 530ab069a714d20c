// API calls a second from 16 connections, beside moto_server (a mock that does none of the work).
import { RegisterTaskDefinitionCommand, CreateClusterCommand, ECSClient } from '@aws-sdk/client-ecs';
import { SignatureV4 } from '@smithy/signature-v4';
import { Hash } from '../tests/e2e/hash.mjs';
import { Peer, Report, Sampan, freePort, installed, until, wrk } from './lib.mjs';

const TARGET = 'AmazonEC2ContainerServiceV20141113';
const DEFINITION = {
  family: 'bench', requiresCompatibilities: ['FARGATE'], networkMode: 'awsvpc', cpu: '256', memory: '512',
  containerDefinitions: [{ name: 'web', image: 'public.example.com/web:1', essential: true, portMappings: [{ containerPort: 8080 }], environment: [{ name: 'A', value: 'b' }] }],
};

async function signed(endpoint, keys, operation, body) {
  const url = new URL(endpoint);
  const signer = new SignatureV4({ service: 'ecs', region: 'us-east-1', sha256: Hash, credentials: keys });
  const text = JSON.stringify(body);
  const request = await signer.sign({
    method: 'POST', protocol: 'http:', hostname: url.hostname, port: Number(url.port), path: '/', query: {}, body: text,
    headers: { host: url.host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${TARGET}.${operation}` },
  });
  return { url: endpoint, method: 'POST', headers: request.headers, body: text };
}

async function measure(endpoint, keys) {
  const client = new ECSClient({ endpoint, region: 'us-east-1', credentials: keys, maxAttempts: 1 });
  await client.send(new CreateClusterCommand({ clusterName: 'bench' }));
  await client.send(new RegisterTaskDefinitionCommand(DEFINITION));
  const out = {};
  for (const [name, operation, body] of [
    ['DescribeClusters', 'DescribeClusters', { clusters: ['bench'] }],
    ['DescribeTaskDefinition', 'DescribeTaskDefinition', { taskDefinition: 'bench' }],
    ['RegisterTaskDefinition', 'RegisterTaskDefinition', DEFINITION],
  ]) {
    out[name] = await wrk({ ...(await signed(endpoint, keys, operation, body)), connections: 16, seconds: 5 });
    if (out[name].errors) throw new Error(`${endpoint} ${name}: ${out[name].errors} errors`);
  }
  return out;
}

const report = new Report('api');
const sampan = await Sampan.start({ flags: ['--log-level', 'warn'] });
let ours, theirs;
try {
  ours = await measure(sampan.endpoint, { accessKeyId: sampan.accessKeyId, secretAccessKey: sampan.secretAccessKey });
} finally {
  await sampan.stop();
}
if (installed('moto_server')) {
  const port = await freePort();
  const peer = new Peer('moto_server', ['-p', String(port)]);
  try {
    await until('moto answers', async () => (await fetch(`http://127.0.0.1:${port}/moto-api/`)).ok, 60);
    theirs = await measure(`http://127.0.0.1:${port}`, { accessKeyId: 'a', secretAccessKey: 'b' });
  } finally {
    await peer.stop();
  }
}
for (const name of Object.keys(ours)) {
  const goal = { atLeast: name === 'RegisterTaskDefinition' ? 10 : 50 };
  report.add(`${name}, 16 connections`, 'calls/s', ours[name].rate, { name: 'moto', value: theirs?.[name].rate }, goal);
  report.add(`${name}, p99`, 'ms', ours[name].p99, { name: 'moto', value: theirs?.[name].p99 });
}
report.write();
