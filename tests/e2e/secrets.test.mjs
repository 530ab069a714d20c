// Secrets Manager through the AWS SDK, and what of it is on the disk.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  BatchGetSecretValueCommand, CreateSecretCommand, DeleteSecretCommand, DescribeSecretCommand, GetRandomPasswordCommand, GetSecretValueCommand,
  ListSecretVersionIdsCommand, ListSecretsCommand, PutSecretValueCommand, RestoreSecretCommand, RotateSecretCommand, SecretsManagerClient, TagResourceCommand,
  UntagResourceCommand, UpdateSecretCommand, UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { Sampan } from './harness.mjs';

let sampan, client;
const send = (Command, input) => client.send(new Command(input));
before(async () => {
  sampan = await Sampan.start();
  client = new SecretsManagerClient(sampan.clientOptions);
});
after(async () => { await sampan?.stop(); });

test('created, read, changed, described', async () => {
  const made = await send(CreateSecretCommand, { Name: 'team/db', SecretString: 'first', Description: 'the database', Tags: [{ Key: 'team', Value: 'shop' }] });
  assert.match(made.ARN, /^arn:aws:secretsmanager:us-east-1:000000000000:secret:team\/db-[A-Za-z0-9]{6}$/);
  const read = await send(GetSecretValueCommand, { SecretId: 'team/db' });
  assert.deepEqual([read.ARN, read.Name, read.SecretString, read.VersionId, read.VersionStages], [made.ARN, 'team/db', 'first', made.VersionId, ['AWSCURRENT']]);
  assert.ok(read.CreatedDate instanceof Date);
  const second = await send(PutSecretValueCommand, { SecretId: made.ARN, SecretString: 'second' });
  assert.deepEqual(second.VersionStages, ['AWSCURRENT']);
  const third = await send(UpdateSecretCommand, { SecretId: 'team/db', SecretString: 'third', Description: 'changed' });
  assert.equal((await send(GetSecretValueCommand, { SecretId: 'team/db', VersionStage: 'AWSPREVIOUS' })).SecretString, 'second');
  assert.equal((await send(GetSecretValueCommand, { SecretId: 'team/db', VersionId: made.VersionId })).SecretString, 'first');
  const described = await send(DescribeSecretCommand, { SecretId: 'team/db' });
  assert.equal(described.Description, 'changed');
  assert.deepEqual(described.VersionIdsToStages, { [second.VersionId]: ['AWSPREVIOUS'], [third.VersionId]: ['AWSCURRENT'] });
  assert.deepEqual(described.Tags, [{ Key: 'team', Value: 'shop' }]);
  const { Versions } = await send(ListSecretVersionIdsCommand, { SecretId: 'team/db', IncludeDeprecated: true });
  assert.equal(Versions.length, 3);
  await send(UpdateSecretVersionStageCommand, { SecretId: 'team/db', VersionStage: 'AWSCURRENT', MoveToVersionId: second.VersionId, RemoveFromVersionId: third.VersionId });
  assert.equal((await send(GetSecretValueCommand, { SecretId: 'team/db' })).SecretString, 'second');
});

test('binary values come back as they went', async () => {
  const bytes = new Uint8Array([0, 255, 1, 2, 128]);
  await send(CreateSecretCommand, { Name: 'binary', SecretBinary: bytes });
  const read = await send(GetSecretValueCommand, { SecretId: 'binary' });
  assert.deepEqual(new Uint8Array(read.SecretBinary), bytes);
  assert.equal(read.SecretString, undefined);
});

test('tags, lists, batches', async () => {
  await send(TagResourceCommand, { SecretId: 'team/db', Tags: [{ Key: 'stage', Value: 'prod' }] });
  await send(UntagResourceCommand, { SecretId: 'team/db', TagKeys: ['team'] });
  assert.deepEqual((await send(DescribeSecretCommand, { SecretId: 'team/db' })).Tags, [{ Key: 'stage', Value: 'prod' }]);
  for (const name of ['list/a', 'list/b', 'list/c']) await send(CreateSecretCommand, { Name: name, SecretString: name });
  const first = await send(ListSecretsCommand, { Filters: [{ Key: 'name', Values: ['list/'] }], MaxResults: 2, SortBy: 'name', SortOrder: 'asc' });
  assert.deepEqual(first.SecretList.map((one) => one.Name), ['list/a', 'list/b']);
  const rest = await send(ListSecretsCommand, { Filters: [{ Key: 'name', Values: ['list/'] }], MaxResults: 2, SortBy: 'name', SortOrder: 'asc', NextToken: first.NextToken });
  assert.deepEqual(rest.SecretList.map((one) => one.Name), ['list/c']);
  const tagged = await send(ListSecretsCommand, { Filters: [{ Key: 'tag-value', Values: ['prod'] }] });
  assert.deepEqual(tagged.SecretList.map((one) => one.Name), ['team/db']);
  const batch = await send(BatchGetSecretValueCommand, { SecretIdList: ['list/a', 'absent', 'list/b'] });
  assert.deepEqual(batch.SecretValues.map((one) => one.SecretString), ['list/a', 'list/b']);
  assert.equal(batch.Errors[0].ErrorCode, 'ResourceNotFoundException');
  const filtered = await send(BatchGetSecretValueCommand, { Filters: [{ Key: 'name', Values: ['list/'] }], MaxResults: 2 });
  assert.equal(filtered.SecretValues.length, 2);
  assert.ok(filtered.NextToken);
});

test('errors in AWS’s words', async () => {
  await assert.rejects(send(GetSecretValueCommand, { SecretId: 'absent' }), { name: 'ResourceNotFoundException', message: "Secrets Manager can't find the specified secret." });
  await assert.rejects(send(CreateSecretCommand, { Name: 'team/db', SecretString: 'x' }), { name: 'ResourceExistsException', message: 'The operation failed because the secret team/db already exists.' });
  await assert.rejects(send(CreateSecretCommand, { Name: 'no blanks', SecretString: 'x' }), { name: 'InvalidParameterException' });
  await assert.rejects(send(PutSecretValueCommand, { SecretId: 'team/db' }), { name: 'InvalidRequestException' });
  await assert.rejects(send(BatchGetSecretValueCommand, {}), { name: 'InvalidParameterException' });
  await assert.rejects(send(ListSecretsCommand, { NextToken: 'x' }), { name: 'InvalidNextTokenException' });
  await assert.rejects(send(RotateSecretCommand, { SecretId: 'team/db' }), (error) => error.$metadata.httpStatusCode >= 400);
});

test('deleted with a window, restored, deleted at once', async () => {
  const { DeletionDate } = await send(DeleteSecretCommand, { SecretId: 'list/c', RecoveryWindowInDays: 7 });
  assert.ok(Math.abs(DeletionDate - Date.now() - 7 * 86400_000) < 60_000);
  await assert.rejects(send(GetSecretValueCommand, { SecretId: 'list/c' }), { name: 'InvalidRequestException', message: "You can't perform this operation on the secret because it was marked for deletion." });
  assert.ok((await send(DescribeSecretCommand, { SecretId: 'list/c' })).DeletedDate);
  await send(RestoreSecretCommand, { SecretId: 'list/c' });
  assert.equal((await send(GetSecretValueCommand, { SecretId: 'list/c' })).SecretString, 'list/c');
  await send(DeleteSecretCommand, { SecretId: 'list/c', ForceDeleteWithoutRecovery: true });
  await assert.rejects(send(DescribeSecretCommand, { SecretId: 'list/c' }), { name: 'ResourceNotFoundException' });
});

test('random passwords', async () => {
  const { RandomPassword } = await send(GetRandomPasswordCommand, { PasswordLength: 20, ExcludePunctuation: true });
  assert.match(RandomPassword, /^[A-Za-z0-9]{20}$/);
  await assert.rejects(send(GetRandomPasswordCommand, { PasswordLength: 2 }), { name: 'InvalidParameterException' });
});

test('a killed daemon loses nothing, the disk holds no plain text, a lost key is told', async () => {
  await send(CreateSecretCommand, { Name: 'deep', SecretString: 'plain-text-that-nobody-may-find' });
  await sampan.kill();
  await sampan.restart();
  client = new SecretsManagerClient(sampan.clientOptions);
  assert.equal((await send(GetSecretValueCommand, { SecretId: 'deep' })).SecretString, 'plain-text-that-nobody-may-find');
  assert.equal(statSync(path.join(sampan.dataDir, 'secrets.key')).mode & 0o777, 0o600);
  for (const text of ['plain-text-that-nobody', Buffer.from('plain-text-that-nobody').toString('base64').slice(0, -4)]) {
    assert.throws(() => execFileSync('grep', ['-rlF', text, sampan.dataDir]), { status: 1 });
  }
  await sampan.kill();
  const key = path.join(sampan.dataDir, 'secrets.key');
  renameSync(key, `${key}.away`);
  await sampan.restart();
  client = new SecretsManagerClient(sampan.clientOptions);
  await assert.rejects(send(GetSecretValueCommand, { SecretId: 'deep' }), { name: 'DecryptionFailure', message: /secrets\.key is gone/ });
  await sampan.kill();
  renameSync(`${key}.away`, key);
  await sampan.restart();
  client = new SecretsManagerClient(sampan.clientOptions);
  assert.equal((await send(GetSecretValueCommand, { SecretId: 'deep' })).SecretString, 'plain-text-that-nobody-may-find');
});
