// What becomes of images with time: lifecycle policies, storage classes, recorded pulls, account settings. By the AWS SDK.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  BatchCheckLayerAvailabilityCommand, BatchGetImageCommand, CreateRepositoryCommand, CreateRepositoryCreationTemplateCommand,
  DeleteLifecyclePolicyCommand, DeregisterPullTimeUpdateExclusionCommand, DescribeImagesCommand, GetAccountSettingCommand,
  GetDownloadUrlForLayerCommand, GetLifecyclePolicyCommand, GetLifecyclePolicyPreviewCommand, ListImagesCommand,
  ListPullTimeUpdateExclusionsCommand, PutAccountSettingCommand, PutImageCommand, PutLifecyclePolicyCommand,
  RegisterPullTimeUpdateExclusionCommand, StartLifecyclePolicyPreviewCommand, UpdateImageStorageClassCommand,
  waitUntilLifecyclePolicyPreviewComplete,
} from '@aws-sdk/client-ecr';
import { Sampan, until } from './harness.mjs';

let sampan, auth;
before(async () => {
  sampan = await Sampan.start();
  auth = { authorization: `Basic ${Buffer.from(await sampan.registryCredentials()).toString('base64')}` };
});
after(async () => { await sampan?.stop(); });

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const send = (command) => sampan.ecr.send(command);

async function pushBlob(repository, text) {
  const answer = await fetch(`${sampan.endpoint}/v2/${repository}/blobs/uploads/?digest=${digestOf(text)}`, { method: 'POST', headers: auth, body: text });
  assert.equal(answer.status, 201, await answer.text());
  return { digest: digestOf(text), size: text.length };
}

async function putImage(repository, seed, tag, more = {}) {
  const config = await pushBlob(repository, JSON.stringify({ architecture: 'amd64', os: 'linux', seed }));
  const layer = await pushBlob(repository, `layer of ${seed}`);
  const imageManifest = JSON.stringify({
    schemaVersion: 2, mediaType: MANIFEST, config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer }], ...more,
  });
  await send(new PutImageCommand({ repositoryName: repository, imageManifest, imageTag: tag }));
  return digestOf(imageManifest);
}

const policyOf = (...rules) => JSON.stringify({ rules: rules.map((rule, at) => ({ rulePriority: at + 1, description: 'keeps the repository small and tidy', ...rule })) });
const keep = (countNumber, selection = { tagStatus: 'any' }) => ({ selection: { ...selection, countType: 'imageCountMoreThan', countNumber }, action: { type: 'expire' } });
const tagsIn = async (repositoryName) => (await send(new ListImagesCommand({ repositoryName }))).imageIds.map((id) => id.imageTag).sort();

test('a policy is put, previewed, carried out by itself, and deleted', async () => {
  const repositoryName = 'tidy/app';
  await send(new CreateRepositoryCommand({ repositoryName }));
  for (let n = 1; n <= 4; n += 1) await putImage(repositoryName, `image ${n}`, `v${n}`);
  await assert.rejects(send(new GetLifecyclePolicyCommand({ repositoryName })), {
    name: 'LifecyclePolicyNotFoundException',
    message: "Lifecycle policy does not exist for the repository with name 'tidy/app' in the registry with id '000000000000'",
  });
  await assert.rejects(send(new StartLifecyclePolicyPreviewCommand({ repositoryName })), { name: 'LifecyclePolicyNotFoundException' });
  await assert.rejects(send(new GetLifecyclePolicyPreviewCommand({ repositoryName })), { name: 'LifecyclePolicyPreviewNotFoundException' });

  const text = policyOf(keep(2));
  const started = await send(new StartLifecyclePolicyPreviewCommand({ repositoryName, lifecyclePolicyText: text }));
  assert.equal(started.status, 'IN_PROGRESS');
  await waitUntilLifecyclePolicyPreviewComplete({ client: sampan.ecr, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { repositoryName });
  const preview = await send(new GetLifecyclePolicyPreviewCommand({ repositoryName }));
  assert.equal(preview.summary.expiringImageTotalCount, 2);
  assert.deepEqual(preview.previewResults.map((result) => [result.imageTags[0], result.action.type, result.appliedRulePriority]), [['v1', 'EXPIRE', 1], ['v2', 'EXPIRE', 1]]);
  const paged = await send(new GetLifecyclePolicyPreviewCommand({ repositoryName, maxResults: 1 }));
  const rest = await send(new GetLifecyclePolicyPreviewCommand({ repositoryName, maxResults: 1, nextToken: paged.nextToken }));
  assert.deepEqual([...paged.previewResults, ...rest.previewResults].map((result) => result.imageTags[0]), ['v1', 'v2']);
  assert.equal((await send(new GetLifecyclePolicyPreviewCommand({ repositoryName, imageIds: [{ imageTag: 'v2' }] }))).previewResults.length, 1);
  assert.equal((await send(new GetLifecyclePolicyPreviewCommand({ repositoryName, filter: { tagStatus: 'UNTAGGED' } }))).previewResults.length, 0);
  assert.deepEqual(await tagsIn(repositoryName), ['v1', 'v2', 'v3', 'v4'], 'a preview deletes nothing');

  await send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: text }));
  await until('the policy has been carried out', async () => (await tagsIn(repositoryName)).join() === 'v3,v4', 20);
  await putImage(repositoryName, 'image 5', 'v5');
  await until('a push is followed by an evaluation', async () => (await tagsIn(repositoryName)).join() === 'v4,v5', 40);
  const kept = await send(new GetLifecyclePolicyCommand({ repositoryName }));
  assert.equal(kept.lifecyclePolicyText, text);
  assert.ok(kept.lastEvaluatedAt instanceof Date);
  assert.equal((await send(new DeleteLifecyclePolicyCommand({ repositoryName }))).lifecyclePolicyText, text);
  await assert.rejects(send(new DeleteLifecyclePolicyCommand({ repositoryName })), { name: 'LifecyclePolicyNotFoundException' });
});

test('a policy that cannot be is refused in ECR’s words, and nothing changes', async () => {
  const repositoryName = 'strict/app';
  await send(new CreateRepositoryCommand({ repositoryName }));
  const refused = (lifecyclePolicyText, message) => assert.rejects(send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText })), {
    name: 'InvalidParameterException', message: `Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ${message}'`,
  });
  await refused('"' + 'x'.repeat(120) + '"', 'Could not map policyString into LifecyclePolicy.');
  await refused(policyOf({ ...keep(1), colour: 'red' }), 'object instance has properties which are not allowed by the schema: (["colour"])');
  await refused(policyOf(keep(0)), 'numeric instance is lower than the required minimum (minimum: 1, found: 0)');
  await refused(policyOf(keep(1), keep(2, { tagStatus: 'untagged' })), 'Rule for tagStatus=ANY must have the lowest priority per storage class.');
  await refused(policyOf(keep(1, { tagStatus: 'tagged' })), 'Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.');
  await refused(policyOf(keep(1, { tagStatus: 'untagged' }), keep(2, { tagStatus: 'untagged' })), 'Only one rule can select Untagged images per storage class.');
  await refused(policyOf(keep(1, { tagStatus: 'any', countUnit: 'days' })), 'instance failed to match exactly one schema (matched 0 out of 4)\n');
  await refused(policyOf({ ...keep(1), action: { type: 'expire', targetStorageClass: null } }), 'instance failed to match exactly one schema (matched 0 out of 2)\n');
  await assert.rejects(send(new PutLifecyclePolicyCommand({ repositoryName: 'absent', lifecyclePolicyText: policyOf(keep(1)) })), { name: 'RepositoryNotFoundException' });
  await assert.rejects(send(new GetLifecyclePolicyCommand({ repositoryName })), { name: 'LifecyclePolicyNotFoundException' });
});

test('a repository made by a template has the template’s policy, which survives kill -9', async () => {
  const lifecyclePolicy = policyOf(keep(3));
  await send(new CreateRepositoryCreationTemplateCommand({ prefix: 'made', appliedFor: ['CREATE_ON_PUSH'], lifecyclePolicy }));
  await putImage('made/app', 'first', 'v1');
  assert.equal((await send(new GetLifecyclePolicyCommand({ repositoryName: 'made/app' }))).lifecyclePolicyText, lifecyclePolicy);
  await sampan.kill();
  await sampan.restart();
  assert.equal((await send(new GetLifecyclePolicyCommand({ repositoryName: 'made/app' }))).lifecyclePolicyText, lifecyclePolicy);
});

test('an archived image keeps its place and cannot be pulled until it is restored', async () => {
  const repositoryName = 'cold/app';
  await send(new CreateRepositoryCommand({ repositoryName }));
  const digest = await putImage(repositoryName, 'cold', 'v1');
  await putImage(repositoryName, 'warm', 'v2');
  const layer = digestOf('layer of cold');
  const change = (targetStorageClass, imageId = { imageTag: 'v1' }) => send(new UpdateImageStorageClassCommand({ repositoryName, imageId, targetStorageClass }));
  await assert.rejects(change('STANDARD'), { name: 'ImageStorageClassUpdateNotSupportedException' });
  await assert.rejects(change('ARCHIVE', { imageTag: 'absent' }), { name: 'ImageNotFoundException' });
  const archived = await change('ARCHIVE');
  assert.equal(archived.imageStatus, 'ARCHIVED');
  assert.equal(archived.imageId.imageDigest, digest);

  const described = (imageStatus) => send(new DescribeImagesCommand({ repositoryName, filter: imageStatus && { imageStatus } }));
  assert.deepEqual((await described()).imageDetails.map((detail) => detail.imageTags[0]), ['v2']);
  const [detail] = (await described('ARCHIVED')).imageDetails;
  assert.ok(detail.lastArchivedAt instanceof Date);
  assert.equal((await described('ANY')).imageDetails.length, 2);
  assert.equal((await send(new ListImagesCommand({ repositoryName, filter: { imageStatus: 'ARCHIVED' } }))).imageIds[0].imageTag, 'v1');

  const { failures } = await send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }] }));
  assert.equal(failures[0].failureCode, 'ImageInaccessible');
  assert.equal((await fetch(`${sampan.endpoint}/v2/${repositoryName}/manifests/v1`, { headers: auth })).status, 404);
  assert.equal((await send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [layer] }))).layers[0].layerAvailability, 'ARCHIVED');
  await assert.rejects(send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: layer })), { name: 'LayerInaccessibleException' });

  assert.equal((await change('STANDARD')).imageStatus, 'ACTIVATING');
  await until('the image is active again', async () => (await described()).imageDetails.length === 2, 20);
  assert.equal((await fetch(`${sampan.endpoint}/v2/${repositoryName}/manifests/v1`, { headers: auth })).status, 200);
  assert.ok((await described()).imageDetails.find((each) => each.imageDigest === digest).lastActivatedAt instanceof Date);
});

test('principals whose pulls do not count are registered once, listed and taken away', async () => {
  const principalArn = 'arn:aws:iam::000000000000:role/scanner';
  assert.equal((await send(new RegisterPullTimeUpdateExclusionCommand({ principalArn }))).principalArn, principalArn);
  await assert.rejects(send(new RegisterPullTimeUpdateExclusionCommand({ principalArn })), { name: 'ExclusionAlreadyExistsException' });
  await assert.rejects(send(new RegisterPullTimeUpdateExclusionCommand({ principalArn: 'somebody' })), { name: 'InvalidParameterException' });
  assert.deepEqual((await send(new ListPullTimeUpdateExclusionsCommand({}))).pullTimeUpdateExclusions, [principalArn]);
  await send(new DeregisterPullTimeUpdateExclusionCommand({ principalArn }));
  await assert.rejects(send(new DeregisterPullTimeUpdateExclusionCommand({ principalArn })), { name: 'ExclusionNotFoundException' });
});

test('account settings have values of their own, and blob mounting obeys its', async () => {
  await assert.rejects(send(new GetAccountSettingCommand({ name: 'COLOUR' })), { name: 'InvalidParameterException' });
  await assert.rejects(send(new PutAccountSettingCommand({ name: 'BASIC_SCAN_TYPE_VERSION', value: 'OTHER' })), { name: 'InvalidParameterException' });
  assert.equal((await send(new GetAccountSettingCommand({ name: 'BASIC_SCAN_TYPE_VERSION' }))).value, 'AWS_NATIVE');
  for (const repositoryName of ['mount/from', 'mount/to']) await send(new CreateRepositoryCommand({ repositoryName }));
  const { digest } = await pushBlob('mount/from', 'shared bytes');
  const mount = async () => (await fetch(`${sampan.endpoint}/v2/mount/to/blobs/uploads/?mount=${digest}&from=mount/from`, { method: 'POST', headers: auth })).status;
  await send(new PutAccountSettingCommand({ name: 'BLOB_MOUNTING', value: 'DISABLED' }));
  assert.equal(await mount(), 202);
  await send(new PutAccountSettingCommand({ name: 'BLOB_MOUNTING', value: 'ENABLED' }));
  assert.equal(await mount(), 201);
});
