// Replication to another region of this Sampan and to another Sampan, and the signing configuration. By the AWS SDK.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  BatchGetImageCommand, CreateRepositoryCommand, DeleteSigningConfigurationCommand, DescribeImageReplicationStatusCommand,
  DescribeImageSigningStatusCommand, DescribeImagesCommand, DescribeRegistryCommand, ECRClient, GetSigningConfigurationCommand,
  ListImageReferrersCommand, PutImageCommand, PutReplicationConfigurationCommand, PutSigningConfigurationCommand,
} from '@aws-sdk/client-ecr';
import { Sampan, until } from './harness.mjs';

let here, there;
before(async () => {
  [here, there] = [await Sampan.start(), await Sampan.start()];
  writeFileSync(path.join(here.dataDir, 'peers'), `[ap-southeast-1 000000000000]
endpoint = ${there.endpoint}
aws_access_key_id = ${there.accessKeyId}
aws_secret_access_key = ${there.secretAccessKey}
`, { mode: 0o600 });
});
after(async () => { await here?.stop(); await there?.stop(); });

const ACCOUNT = '000000000000';
const TYPE = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const inRegion = (sampan, region) => new ECRClient({ ...sampan.clientOptions, region });
const basic = async (sampan) => ({ authorization: `Basic ${Buffer.from(await sampan.registryCredentials()).toString('base64')}` });

async function blob(repository, text) {
  const answer = await fetch(`${here.endpoint}/v2/${repository}/blobs/uploads/?digest=${digestOf(text)}`, { method: 'POST', headers: await basic(here), body: text });
  assert.equal(answer.status, 201, await answer.text());
  return { digest: digestOf(text), size: text.length };
}
async function push(repository, seed, tag, more = {}) {
  const config = await blob(repository, JSON.stringify({ os: 'linux', architecture: 'amd64', seed }));
  const layer = await blob(repository, `layer ${seed}`);
  const imageManifest = JSON.stringify({ schemaVersion: 2, mediaType: TYPE, config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config }, layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer }], ...more });
  await here.ecr.send(new PutImageCommand({ repositoryName: repository, imageManifest, imageTag: tag }));
  return { digest: digestOf(imageManifest), manifest: imageManifest };
}
const statusOf = async (repositoryName, imageDigest) => Object.fromEntries((await here.ecr.send(new DescribeImageReplicationStatusCommand({ repositoryName, imageId: { imageDigest } }))).replicationStatuses.map((each) => [each.region, each.status]));

test('what is pushed after the rule goes to the other region and to the other Sampan, with its signatures', async () => {
  await here.ecr.send(new CreateRepositoryCommand({ repositoryName: 'prod/app' }));
  await here.ecr.send(new CreateRepositoryCommand({ repositoryName: 'dev/app' }));
  const before = await push('prod/app', 'before the rule', 'old');
  await assert.rejects(here.ecr.send(new PutReplicationConfigurationCommand({ replicationConfiguration: { rules: [{ destinations: [{ region: 'us-east-1', registryId: ACCOUNT }] }] } })), { name: 'InvalidParameterException' });
  const replicationConfiguration = { rules: [{ destinations: [{ region: 'eu-west-1', registryId: ACCOUNT }, { region: 'ap-southeast-1', registryId: ACCOUNT }], repositoryFilters: [{ filter: 'prod', filterType: 'PREFIX_MATCH' }] }] };
  await here.ecr.send(new PutReplicationConfigurationCommand({ replicationConfiguration }));
  assert.deepEqual((await here.ecr.send(new DescribeRegistryCommand({}))).replicationConfiguration, replicationConfiguration);

  const image = await push('prod/app', 'after', 'v1');
  const signature = await push('prod/app', 'signature', undefined, { subject: { mediaType: TYPE, digest: image.digest, size: image.manifest.length } });
  await push('dev/app', 'not asked for', 'v1');
  await until('both destinations have it', async () => {
    const status = await statusOf('prod/app', image.digest);
    return status['eu-west-1'] === 'COMPLETE' && status['ap-southeast-1'] === 'COMPLETE';
  }, 60);
  for (const client of [inRegion(here, 'eu-west-1'), inRegion(there, 'ap-southeast-1')]) {
    await until('the image is under its tag', async () => (await client.send(new BatchGetImageCommand({ repositoryName: 'prod/app', imageIds: [{ imageTag: 'v1' }] }))).images[0]?.imageManifest === image.manifest, 20);
    await until('its signature came with it', async () => (await client.send(new ListImageReferrersCommand({ repositoryName: 'prod/app', subjectId: { imageDigest: image.digest } }))).referrers[0]?.digest === signature.digest, 60);
    await assert.rejects(client.send(new DescribeImagesCommand({ repositoryName: 'prod/app', imageIds: [{ imageDigest: before.digest }] })), { name: 'ImageNotFoundException' });
    await assert.rejects(client.send(new DescribeImagesCommand({ repositoryName: 'dev/app' })), { name: 'RepositoryNotFoundException' });
  }
  assert.deepEqual(await statusOf('prod/app', before.digest), {});
  await assert.rejects(here.ecr.send(new DescribeImageReplicationStatusCommand({ repositoryName: 'prod/app', imageId: { imageTag: 'absent' } })), { name: 'ImageNotFoundException' });
});

test('kill -9 here and a destination that is away: it arrives all the same', async () => {
  await there.kill();
  const image = await push('prod/app', 'while the other side is away', 'v2');
  await here.kill();
  await here.restart();
  assert.equal((await statusOf('prod/app', image.digest))['ap-southeast-1'], 'IN_PROGRESS');
  await there.restart();
  const client = inRegion(there, 'ap-southeast-1');
  await until('the image has arrived', async () => (await client.send(new BatchGetImageCommand({ repositoryName: 'prod/app', imageIds: [{ imageTag: 'v2' }] }))).images.length === 1, 60);
  await until('and is told as complete', async () => (await statusOf('prod/app', image.digest))['ap-southeast-1'] === 'COMPLETE', 30);
});

test('a signing configuration is kept, and an image that it asks for is told as not signed', async () => {
  await assert.rejects(here.ecr.send(new GetSigningConfigurationCommand({})), { name: 'SigningConfigurationNotFoundException' });
  const signingProfileArn = `arn:aws:signer:us-east-1:${ACCOUNT}:/signing-profiles/release`;
  const signingConfiguration = { rules: [{ signingProfileArn, repositoryFilters: [{ filter: 'prod/*', filterType: 'WILDCARD_MATCH' }] }] };
  await here.ecr.send(new PutSigningConfigurationCommand({ signingConfiguration }));
  assert.deepEqual((await here.ecr.send(new GetSigningConfigurationCommand({}))).signingConfiguration, signingConfiguration);
  const status = (repositoryName) => here.ecr.send(new DescribeImageSigningStatusCommand({ repositoryName, imageId: { imageTag: 'v1' } }));
  const [only] = (await status('prod/app')).signingStatuses;
  assert.equal(only.status, 'FAILED');
  assert.equal(only.failureCode, 'SignerNotAvailable');
  assert.equal(only.signingProfileArn, signingProfileArn);
  assert.deepEqual((await status('dev/app')).signingStatuses, []);
  await here.ecr.send(new DeleteSigningConfigurationCommand({}));
  await assert.rejects(here.ecr.send(new DeleteSigningConfigurationCommand({})), { name: 'SigningConfigurationNotFoundException' });
});
