// The pull-through cache against a real registry: TLS with an authority of its own, a password in a secret, gone and back.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  BatchGetImageCommand, CreatePullThroughCacheRuleCommand, CreateRepositoryCreationTemplateCommand, DeletePullThroughCacheRuleCommand,
  DescribeImagesCommand, DescribePullThroughCacheRulesCommand, DescribeRepositoriesCommand, GetDownloadUrlForLayerCommand,
  UpdatePullThroughCacheRuleCommand, ValidatePullThroughCacheRuleCommand,
} from '@aws-sdk/client-ecr';
import { CreateClusterCommand, DescribeTasksCommand, RegisterTaskDefinitionCommand, RunTaskCommand } from '@aws-sdk/client-ecs';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Sampan, busyboxLayout, imageLayout, until } from './harness.mjs';
import { Upstream } from './upstream.mjs';

let sampan, upstream, secrets, auth, credentialArn;
const ecr = (Command, input) => sampan.ecr.send(new Command(input));

before(async () => {
  upstream = await Upstream.start();
  sampan = await Sampan.start({ flags: ['--upstream-ca', upstream.ca] });
  secrets = new SecretsManagerClient(sampan.clientOptions);
  auth = { authorization: `Basic ${Buffer.from(await sampan.registryCredentials()).toString('base64')}` };
  await upstream.push(sampan, busyboxLayout(), 'team/busybox:1');
  await upstream.push(sampan, busyboxLayout(), 'team/second:1');
  const secret = await secrets.send(new CreateSecretCommand({
    Name: 'ecr-pullthroughcache/upstream', SecretString: JSON.stringify({ username: upstream.user, accessToken: upstream.password }),
  }));
  credentialArn = secret.ARN;
});
after(async () => {
  await sampan?.stop();
  await upstream?.stop();
});

const v2 = (target, options = {}) => fetch(`${sampan.endpoint}/v2/${target}`, { ...options, headers: { ...auth, ...options.headers } });
const inspect = async (name) => JSON.parse((await sampan.command('skopeo', ['inspect', name])).stdout).Digest;

async function pull(name) {
  const directory = mkdtempSync(path.join(tmpdir(), 'sampan-pull-'));
  try {
    await sampan.command('skopeo', ['copy', '--quiet', '--src-tls-verify=false', '--src-creds', await sampan.registryCredentials(), `docker://${sampan.registry}/${name}`, `oci:${directory}:x`]);
    return await inspect(`oci:${directory}:x`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
const cached = (repositoryName, imageTag) => until(`${repositoryName}:${imageTag} is cached`, async () =>
  (await ecr(DescribeImagesCommand, { repositoryName, imageIds: [{ imageTag }] })).imageDetails[0], 20);

test('rules: made, described, refused, changed, removed', async () => {
  const rule = { ecrRepositoryPrefix: 'mirror', upstreamRegistryUrl: upstream.url, credentialArn };
  const made = await ecr(CreatePullThroughCacheRuleCommand, rule);
  assert.equal(made.registryId, '000000000000');
  assert.equal(made.upstreamRepositoryPrefix, 'ROOT');
  assert.ok(made.createdAt instanceof Date);
  await assert.rejects(ecr(CreatePullThroughCacheRuleCommand, rule), { name: 'PullThroughCacheRuleAlreadyExistsException' });
  const hub = await ecr(CreatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'docker-hub', upstreamRegistryUrl: 'registry-1.docker.io', upstreamRegistry: 'docker-hub' });
  assert.equal(hub.upstreamRegistry, 'docker-hub');
  const deduced = await ecr(CreatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'quay', upstreamRegistryUrl: 'quay.io' });
  assert.equal(deduced.upstreamRegistry, 'quay');
  const bad = (input, name) => assert.rejects(ecr(CreatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'bad', ...input }), { name });
  await bad({ upstreamRegistryUrl: 'ghcr.io', upstreamRegistry: 'quay' }, 'UnsupportedUpstreamRegistryException');
  await bad({ upstreamRegistryUrl: 'http://mirror.example' }, 'UnsupportedUpstreamRegistryException');
  await bad({ upstreamRegistryUrl: 'a b' }, 'UnsupportedUpstreamRegistryException');
  await bad({ upstreamRegistryUrl: 'quay.io', ecrRepositoryPrefix: 'Bad' }, 'InvalidParameterException');
  await bad({ upstreamRegistryUrl: 'quay.io', ecrRepositoryPrefix: 'ROOT', upstreamRepositoryPrefix: 'x/y' }, 'InvalidParameterException');
  await bad({ upstreamRegistryUrl: 'quay.io', credentialArn: credentialArn.replace('upstream', 'nothing') }, 'SecretNotFoundException');
  await bad({ upstreamRegistryUrl: 'quay.io', credentialArn: credentialArn.replace('000000000000', '111111111111') }, 'UnableToAccessSecretException');
  await bad({ upstreamRegistryUrl: 'quay.io', credentialArn: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:other-AbCdEf' }, 'InvalidParameterException');
  const senseless = await secrets.send(new CreateSecretCommand({ Name: 'ecr-pullthroughcache/senseless', SecretString: 'no json' }));
  await bad({ upstreamRegistryUrl: 'quay.io', credentialArn: senseless.ARN }, 'UnableToAccessSecretException');

  const first = await ecr(DescribePullThroughCacheRulesCommand, { maxResults: 2 });
  assert.deepEqual(first.pullThroughCacheRules.map((one) => one.ecrRepositoryPrefix), ['docker-hub', 'mirror']);
  const second = await ecr(DescribePullThroughCacheRulesCommand, { maxResults: 2, nextToken: first.nextToken });
  assert.deepEqual(second.pullThroughCacheRules.map((one) => one.ecrRepositoryPrefix), ['quay']);
  assert.equal(second.nextToken, undefined);
  const named = await ecr(DescribePullThroughCacheRulesCommand, { ecrRepositoryPrefixes: ['mirror'] });
  assert.equal(named.pullThroughCacheRules[0].credentialArn, credentialArn);
  const absent = { name: 'PullThroughCacheRuleNotFoundException' };
  await assert.rejects(ecr(DescribePullThroughCacheRulesCommand, { ecrRepositoryPrefixes: ['nothing'] }), absent);
  await assert.rejects(ecr(UpdatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'nothing', credentialArn }), absent);
  await assert.rejects(ecr(ValidatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'nothing' }), absent);
  await assert.rejects(ecr(DeletePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'nothing' }), absent);
  const gone = await ecr(DeletePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'docker-hub' });
  assert.equal(gone.upstreamRegistryUrl, 'registry-1.docker.io');
  await ecr(DeletePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'quay' });
});

test('a rule is valid when its upstream takes the secret', async () => {
  assert.equal((await ecr(ValidatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'mirror' })).isValid, true);
  const wrong = await secrets.send(new CreateSecretCommand({ Name: 'ecr-pullthroughcache/wrong', SecretString: '{"username":"robot","accessToken":"no"}' }));
  const changed = await ecr(UpdatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'mirror', credentialArn: wrong.ARN });
  assert.equal(changed.credentialArn, wrong.ARN);
  const { isValid, failure } = await ecr(ValidatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'mirror' });
  assert.equal(isValid, false);
  assert.match(failure, /authentication to the upstream registry failed/);
  const refused = await v2('mirror/team/busybox/manifests/1');
  assert.equal(refused.status, 403);
  assert.equal((await refused.json()).errors[0].code, 'DENIED');
  // The secret's next version is used at once.
  await secrets.send(new PutSecretValueCommand({ SecretId: wrong.ARN, SecretString: JSON.stringify({ username: upstream.user, accessToken: upstream.password }) }));
  assert.equal((await ecr(ValidatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'mirror' })).isValid, true);
});

test('the first pull makes the repository, by its template, and keeps the image', async () => {
  await ecr(CreateRepositoryCreationTemplateCommand, { prefix: 'mirror', appliedFor: ['PULL_THROUGH_CACHE'], resourceTags: [{ Key: 'from', Value: 'upstream' }] });
  assert.equal(await pull('mirror/team/busybox:1'), await inspect(`oci:${busyboxLayout()}:latest`));
  const detail = await cached('mirror/team/busybox', '1');
  assert.ok(detail.imageSizeInBytes > 100_000);
  const { repositories } = await ecr(DescribeRepositoriesCommand, { repositoryNames: ['mirror/team/busybox'] });
  assert.equal(repositories[0].repositoryUri, `${sampan.registry}/mirror/team/busybox`);
});

test('the API’s own pull goes through as well', async () => {
  const { images, failures } = await ecr(BatchGetImageCommand, { repositoryName: 'mirror/team/second', imageIds: [{ imageTag: '1' }, { imageTag: 'never' }] });
  assert.equal(failures[0].failureCode, 'ImageNotFound');
  const layer = JSON.parse(images[0].imageManifest).layers[0];
  const { downloadUrl } = await ecr(GetDownloadUrlForLayerCommand, { repositoryName: 'mirror/team/second', layerDigest: layer.digest });
  const bytes = await (await fetch(downloadUrl)).arrayBuffer();
  assert.equal(bytes.byteLength, layer.size);
  await assert.rejects(ecr(BatchGetImageCommand, { repositoryName: 'mirror/team/absent', imageIds: [{ imageTag: '1' }] }), { name: 'RepositoryNotFoundException' });
});

test('what neither side has says so', async () => {
  const absent = await v2('mirror/team/absent/manifests/1');
  assert.equal(absent.status, 404);
  const { errors } = await absent.json();
  assert.equal(errors[0].code, 'NAME_UNKNOWN');
  assert.match(errors[0].message, new RegExp(`there is no '1' of 'team/absent' in the upstream registry ${upstream.host}`));
  const tag = await v2('mirror/team/busybox/manifests/2');
  assert.equal((await tag.json()).errors[0].code, 'MANIFEST_UNKNOWN');
});

test('a tag that moved upstream is seen at a refresh, not before', async () => {
  const moved = imageLayout('moved', { more: 'echo moved > rootfs/etc/moved' });
  const old = await pull('mirror/team/busybox:1');
  await upstream.push(sampan, moved, 'team/busybox:1');
  assert.equal(await pull('mirror/team/busybox:1'), old);
  const { stdout } = await sampan.sampan('registry', 'refresh', `${sampan.registry}/mirror/team/busybox:1`);
  const digest = await inspect(`oci:${moved}:latest`);
  assert.equal(stdout.trim(), `mirror/team/busybox@${digest}`);
  await until('the tag has moved', async () => (await cached('mirror/team/busybox', '1')).imageDigest === digest, 20);
  assert.equal(await pull('mirror/team/busybox:1'), digest);
});

test('a task runs an image that only upstream has', async () => {
  await upstream.push(sampan, busyboxLayout(), 'team/run:1');
  await sampan.ecs.send(new CreateClusterCommand({ clusterName: 'c' }));
  const { taskDefinition } = await sampan.ecs.send(new RegisterTaskDefinitionCommand({
    family: 'through', requiresCompatibilities: ['FARGATE'], networkMode: 'awsvpc', cpu: '256', memory: '512',
    containerDefinitions: [{ name: 'c', image: `${sampan.registry}/mirror/team/run:1`, command: ['sh', '-c', 'exit 5'] }],
  }));
  const { tasks } = await sampan.ecs.send(new RunTaskCommand({
    cluster: 'c', taskDefinition: taskDefinition.taskDefinitionArn, launchType: 'FARGATE',
    networkConfiguration: { awsvpcConfiguration: { subnets: [(await sampan.subnets())[0]] } },
  }));
  const task = await until('it ends', async () => {
    const described = (await sampan.ecs.send(new DescribeTasksCommand({ cluster: 'c', tasks: [tasks[0].taskArn] }))).tasks[0];
    return described.lastStatus === 'STOPPED' && described;
  }, 60);
  assert.equal(task.containers[0].exitCode, 5, task.stoppedReason);
  await cached('mirror/team/run', '1');
});

test('upstream gone: what is cached still pulls, also after a restart; what is not says why', async () => {
  const digest = await pull('mirror/team/busybox:1');
  await upstream.down();
  assert.equal(await pull('mirror/team/busybox:1'), digest);
  await sampan.kill();
  await sampan.restart();
  auth = { authorization: `Basic ${Buffer.from(await sampan.registryCredentials()).toString('base64')}` };
  assert.equal(await pull('mirror/team/busybox:1'), digest);
  const absent = await v2('mirror/team/other/manifests/1');
  assert.equal(absent.status, 503);
  assert.match((await absent.json()).errors[0].message, /Connection refused/);
  assert.equal((await ecr(ValidatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'mirror' })).isValid, false);
  await assert.rejects(sampan.sampan('registry', 'refresh', 'mirror/team/busybox:1'), /Connection refused/);
  await upstream.spawn();
});

test('ROOT takes every name that no other rule takes', async () => {
  await ecr(CreatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'ROOT', upstreamRegistryUrl: upstream.url, credentialArn });
  await ecr(CreatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'deep/er', upstreamRegistryUrl: upstream.url, credentialArn, upstreamRepositoryPrefix: 'team' });
  assert.equal((await v2('team/second/manifests/1')).status, 200);
  assert.equal((await v2('deep/er/second/manifests/1')).status, 200);
  await cached('team/second', '1');
  await cached('deep/er/second', '1');
});

test('an authority that is not trusted is refused', async () => {
  const other = await Upstream.start();
  try {
    await ecr(CreatePullThroughCacheRuleCommand, { ecrRepositoryPrefix: 'untrusted', upstreamRegistryUrl: other.url });
    const answer = await v2('untrusted/a/manifests/1');
    assert.equal(answer.status, 503);
    assert.match((await answer.json()).errors[0].message, /certificate is not trusted/);
  } finally {
    await other.stop();
  }
});
