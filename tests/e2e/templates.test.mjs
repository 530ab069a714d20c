// Repository creation templates and create-on-push; artifacts and what refers to an image, through the ECR API.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  BatchDeleteImageCommand, CompleteLayerUploadCommand, CreateRepositoryCommand, CreateRepositoryCreationTemplateCommand,
  DeleteRepositoryCreationTemplateCommand, DescribeImagesCommand, DescribeRepositoriesCommand,
  DescribeRepositoryCreationTemplatesCommand, InitiateLayerUploadCommand, ListImageReferrersCommand, ListTagsForResourceCommand,
  PutImageCommand, UpdateRepositoryCreationTemplateCommand, UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import { Sampan, busyboxLayout } from './harness.mjs';

let sampan;
before(async () => { sampan = await Sampan.start(); });
after(async () => { await sampan?.stop(); });

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const ACCOUNT = '000000000000';
const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const send = (command) => sampan.ecr.send(command);
const push = async (name) => sampan.command('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', '--dest-creds',
  await sampan.registryCredentials(), `oci:${busyboxLayout()}:latest`, `docker://${sampan.registry}/${name}`]);

test('templates: made once, described, changed, removed', async () => {
  const made = await send(new CreateRepositoryCreationTemplateCommand({
    prefix: 'life', description: 'of a template', appliedFor: ['REPLICATION', 'PULL_THROUGH_CACHE'],
    imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION', imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
    resourceTags: [{ Key: 'team', Value: 'shop' }], customRoleArn: `arn:aws:iam::${ACCOUNT}:role/ecr-creates`,
    encryptionConfiguration: { encryptionType: 'KMS', kmsKey: `arn:aws:kms:us-east-1:${ACCOUNT}:key/0a1b` },
    repositoryPolicy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'a', Effect: 'Allow', Principal: '*', Action: ['ecr:BatchGetImage'] }] }),
    lifecyclePolicy: JSON.stringify({ rules: [{ rulePriority: 1, selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 5 }, action: { type: 'expire' } }] }),
  }));
  assert.equal(made.registryId, ACCOUNT);
  const template = made.repositoryCreationTemplate;
  assert.equal(template.prefix, 'life');
  assert.ok(Math.abs(template.createdAt - Date.now()) < 60_000);
  assert.deepEqual(template.createdAt, template.updatedAt);
  await assert.rejects(send(new CreateRepositoryCreationTemplateCommand({ prefix: 'life/', appliedFor: ['REPLICATION'] })), { name: 'TemplateAlreadyExistsException' });
  const { repositoryCreationTemplates: [seen] } = await send(new DescribeRepositoryCreationTemplatesCommand({ prefixes: ['life'] }));
  assert.deepEqual(seen, template);
  assert.deepEqual((await send(new DescribeRepositoryCreationTemplatesCommand({ prefixes: ['never'] }))).repositoryCreationTemplates, []);
  const { repositoryCreationTemplate: changed } = await send(new UpdateRepositoryCreationTemplateCommand({ prefix: 'life', imageTagMutability: 'MUTABLE', description: 'changed' }));
  assert.equal(changed.imageTagMutability, 'MUTABLE');
  assert.equal(changed.imageTagMutabilityExclusionFilters, undefined);
  assert.equal(changed.description, 'changed');
  assert.deepEqual(changed.appliedFor, ['REPLICATION', 'PULL_THROUGH_CACHE']);
  assert.equal(changed.lifecyclePolicy, template.lifecyclePolicy);
  for (const prefix of ['a', 'b', 'c']) await send(new CreateRepositoryCreationTemplateCommand({ prefix, appliedFor: ['REPLICATION'] }));
  const first = await send(new DescribeRepositoryCreationTemplatesCommand({ maxResults: 3 }));
  const rest = await send(new DescribeRepositoryCreationTemplatesCommand({ maxResults: 3, nextToken: first.nextToken }));
  assert.deepEqual([...first.repositoryCreationTemplates, ...rest.repositoryCreationTemplates].map((one) => one.prefix), ['a', 'b', 'c', 'life']);
  assert.equal(rest.nextToken, undefined);
  const gone = await send(new DeleteRepositoryCreationTemplateCommand({ prefix: 'life' }));
  assert.equal(gone.repositoryCreationTemplate.description, 'changed');
  for (const command of [new DeleteRepositoryCreationTemplateCommand({ prefix: 'life' }), new UpdateRepositoryCreationTemplateCommand({ prefix: 'life', description: 'x' })]) {
    await assert.rejects(send(command), { name: 'TemplateNotFoundException' });
  }
});

test('templates: what is wrong is refused', async () => {
  const bad = async (more, name) => assert.rejects(send(new CreateRepositoryCreationTemplateCommand({ prefix: 'bad', appliedFor: ['REPLICATION'], ...more })), { name }, JSON.stringify(more));
  await bad({ prefix: 'Bad' }, 'InvalidParameterException');
  await bad({ prefix: '-x' }, 'InvalidParameterException');
  await bad({ appliedFor: ['NEVER'] }, 'InvalidParameterException');
  await bad({ appliedFor: [] }, 'InvalidParameterException');
  await bad({ imageTagMutability: 'MUTABLE_WITH_EXCLUSION' }, 'InvalidParameterException');
  await bad({ imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'x' }] }, 'InvalidParameterException');
  await bad({ customRoleArn: 'arn:aws:iam::111111111111:role/of-another' }, 'InvalidParameterException');
  await bad({ resourceTags: [{ Key: 'aws:x', Value: 'y' }] }, 'InvalidParameterException');
  await bad({ encryptionConfiguration: { encryptionType: 'AES256', kmsKey: `arn:aws:kms:us-east-1:${ACCOUNT}:key/a` } }, 'InvalidParameterException');
  await assert.rejects(send(new DescribeRepositoryCreationTemplatesCommand({ nextToken: 'nonsense' })), { name: 'InvalidParameterException' });
});

test('a push makes the repository that a template covers, and no other', async () => {
  const refused = await push('team/app:1').catch((error) => error);
  assert.match(refused.stderr, /The repository with name 'team\/app' does not exist in the registry with id '000000000000'/);
  await send(new CreateRepositoryCreationTemplateCommand({ prefix: 'ROOT', appliedFor: ['CREATE_ON_PUSH'] }));
  await send(new CreateRepositoryCreationTemplateCommand({
    prefix: 'team', appliedFor: ['CREATE_ON_PUSH'], imageTagMutability: 'IMMUTABLE', resourceTags: [{ Key: 'owner', Value: 'team' }],
  }));
  await push('team/app:1');
  await push('lone:1');
  const { repositories } = await send(new DescribeRepositoriesCommand({ repositoryNames: ['team/app', 'lone'] }));
  assert.deepEqual(repositories.map((one) => one.imageTagMutability), ['IMMUTABLE', 'MUTABLE']);
  const { tags } = await send(new ListTagsForResourceCommand({ resourceArn: repositories[0].repositoryArn }));
  assert.deepEqual(tags, [{ Key: 'owner', Value: 'team' }]);
  await send(new UpdateRepositoryCreationTemplateCommand({ prefix: 'ROOT', appliedFor: ['REPLICATION'] }));
  await assert.rejects(push('another:1'));
  await assert.rejects(send(new InitiateLayerUploadCommand({ repositoryName: 'another' })), { name: 'RepositoryNotFoundException' });
  assert.ok((await send(new InitiateLayerUploadCommand({ repositoryName: 'team/by-api' }))).uploadId);
  await send(new DescribeRepositoriesCommand({ repositoryNames: ['team/by-api'] }));
  await sampan.kill();
  await sampan.restart();
  await push('team/later:1');
});

async function layer(repositoryName, bytes) {
  const { uploadId } = await send(new InitiateLayerUploadCommand({ repositoryName }));
  await send(new UploadLayerPartCommand({ repositoryName, uploadId, partFirstByte: 0, partLastByte: bytes.length - 1, layerPartBlob: bytes }));
  await send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digestOf(bytes)] }));
  return { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };
}

test('artifacts with a subject: put by the API, described, listed as referrers, filtered, paged', async () => {
  const repositoryName = 'artifacts';
  await send(new CreateRepositoryCommand({ repositoryName }));
  await push(`${repositoryName}:1`);
  const { imageDetails: [image] } = await send(new DescribeImagesCommand({ repositoryName }));
  const subject = { mediaType: image.imageManifestMediaType, digest: image.imageDigest, size: 1 };
  const empty = await layer(repositoryName, Buffer.from('{}'));
  const attach = async (artifactType, text) => {
    const content = await layer(repositoryName, Buffer.from(text));
    const imageManifest = JSON.stringify({
      schemaVersion: 2, mediaType: MANIFEST, artifactType, config: { ...empty, mediaType: 'application/vnd.oci.empty.v1+json' },
      layers: [content], subject, annotations: { text },
    });
    const { image: put } = await send(new PutImageCommand({ repositoryName, imageManifest, imageManifestMediaType: MANIFEST }));
    assert.equal(put.imageId.imageDigest, digestOf(imageManifest));
    return put.imageId.imageDigest;
  };
  const bill = await attach('application/spdx+json', 'a bill of materials');
  const signatures = [await attach('application/vnd.example.sig', 'one'), await attach('application/vnd.example.sig', 'two'), await attach('application/vnd.example.sig', 'three')];
  const { imageDetails: [detail] } = await send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageDigest: bill }] }));
  assert.equal(detail.artifactMediaType, 'application/spdx+json');
  assert.equal(detail.subjectManifestDigest, image.imageDigest);
  const ask = (more) => send(new ListImageReferrersCommand({ repositoryName, subjectId: { imageDigest: image.imageDigest }, ...more }));
  const { referrers } = await ask({ filter: { artifactTypes: ['application/spdx+json'] } });
  assert.equal(referrers.length, 1);
  assert.equal(referrers[0].digest, bill);
  assert.equal(referrers[0].mediaType, MANIFEST);
  assert.equal(referrers[0].artifactType, 'application/spdx+json');
  assert.deepEqual(referrers[0].annotations, { text: 'a bill of materials' });
  assert.equal(referrers[0].artifactStatus, 'ACTIVE');
  assert.ok(referrers[0].size > 200);
  assert.equal((await ask({})).referrers.length, 4);
  assert.equal((await ask({ filter: { artifactStatus: 'ARCHIVED' } })).referrers.length, 0);
  assert.equal((await ask({ filter: { artifactStatus: 'ANY', artifactTypes: ['application/vnd.example.sig', 'application/spdx+json'] } })).referrers.length, 4);
  const first = await ask({ filter: { artifactTypes: ['application/vnd.example.sig'] }, maxResults: 2 });
  const second = await ask({ filter: { artifactTypes: ['application/vnd.example.sig'] }, maxResults: 2, nextToken: first.nextToken });
  assert.deepEqual([...first.referrers, ...second.referrers].map((one) => one.digest).sort(), signatures.sort());
  await assert.rejects(ask({ nextToken: first.nextToken }), { name: 'InvalidParameterException' }, 'a page of another question');
  await assert.rejects(ask({ repositoryName: 'absent' }), { name: 'RepositoryNotFoundException' });
  await assert.rejects(ask({ subjectId: { imageDigest: 'nonsense' } }), { name: 'InvalidParameterException' });
  await assert.rejects(ask({ maxResults: 51 }), { name: 'InvalidParameterException' });
  assert.deepEqual((await ask({ subjectId: { imageDigest: digestOf('never') } })).referrers, []);
  const { imageIds } = await send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest: signatures[0] }] }));
  assert.equal(imageIds[0].imageDigest, signatures[0]);
  assert.equal((await ask({})).referrers.length, 3);
});
