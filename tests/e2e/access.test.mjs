// Who may do what: users, groups, roles and their policies, held at every API call and at the registry; policies of
// repositories and of the registry, within an account and across accounts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as ecrApi from '@aws-sdk/client-ecr';
import * as iamApi from '@aws-sdk/client-iam';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient, ListClustersCommand, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { DescribeLoadBalancersCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { Sampan, busyboxLayout } from './harness.mjs';

const HERE = '000000000000';
const OTHER = '222222222222';
const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly';
const POWER_USER = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser';
let sampan, iam;

before(async () => {
  sampan = await Sampan.start();
  iam = new iamApi.IAMClient(sampan.clientOptions);
  await sampan.pushBusybox('team/app');
  await sampan.pushBusybox('private/app');
});
after(() => sampan?.stop());

const policy = (...statements) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const allow = (Action, Resource = '*', more = {}) => ({ Effect: 'Allow', Action, Resource, ...more });
const deny = (Action, Resource = '*', more = {}) => ({ Effect: 'Deny', Action, Resource, ...more });
const arnOf = (repository, account = HERE) => `arn:aws:ecr:us-east-1:${account}:repository/${repository}`;

const fails = (work, name, text) => assert.rejects(work, (error) => {
  assert.equal(error.name, name, `${error.name}: ${error.message}`);
  if (text) assert.match(error.message, text);
  return true;
});

/** Clients of one user, with `send` by client name. */
function clientsOf(credentials) {
  const options = { ...sampan.clientOptions, credentials };
  return {
    credentials, options,
    ecr: new ecrApi.ECRClient(options), iam: new iamApi.IAMClient(options), sts: new STSClient(options),
    ecs: new ECSClient(options), ec2: new EC2Client(options), elb: new ElasticLoadBalancingV2Client(options),
  };
}

async function makeUser(name, { policies = {}, attached = [], by = iam, tags } = {}) {
  await by.send(new iamApi.CreateUserCommand({ UserName: name, Tags: tags }));
  for (const [PolicyName, PolicyDocument] of Object.entries(policies)) {
    await by.send(new iamApi.PutUserPolicyCommand({ UserName: name, PolicyName, PolicyDocument }));
  }
  for (const PolicyArn of attached) await by.send(new iamApi.AttachUserPolicyCommand({ UserName: name, PolicyArn }));
  const { AccessKey } = await by.send(new iamApi.CreateAccessKeyCommand({ UserName: name }));
  return clientsOf({ accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey });
}

/** A registry request with basic credentials: the key itself, or a token. */
async function registry(path, { as, token, host, ...options } = {}) {
  const secret = token ? `AWS:${token}` : `${as.credentials.accessKeyId}:${as.credentials.secretAccessKey}`;
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1', port: sampan.port, path: `/v2/${path}`, method: options.method ?? 'GET',
      headers: {
        authorization: `Basic ${Buffer.from(secret).toString('base64')}`,
        accept: 'application/vnd.oci.image.manifest.v1+json', ...(host ? { host } : {}), ...options.headers,
      },
    }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() }));
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

async function tokenOf(clients) {
  const { authorizationData } = await clients.ecr.send(new ecrApi.GetAuthorizationTokenCommand({}));
  return Buffer.from(authorizationData[0].authorizationToken, 'base64').toString().slice('AWS:'.length);
}

function denied(answer, text) {
  assert.equal(answer.status, 403, answer.text);
  const [{ code, message }] = JSON.parse(answer.text).errors;
  assert.equal(code, 'DENIED');
  assert.match(message, text);
}

test('a user without a policy may do nothing but say who it is', async () => {
  const nobody = await makeUser('nobody');
  const identity = await nobody.sts.send(new GetCallerIdentityCommand({}));
  assert.equal(identity.Arn, `arn:aws:iam::${HERE}:user/nobody`);
  assert.match(identity.UserId, /^AIDA[A-Z2-7]{17}$/);
  await fails(nobody.ecr.send(new ecrApi.DescribeRepositoriesCommand({ repositoryNames: ['team/app'] })), 'AccessDeniedException',
    /^User: arn:aws:iam::000000000000:user\/nobody is not authorized to perform: ecr:DescribeRepositories on resource: arn:aws:ecr:us-east-1:000000000000:repository\/team\/app because no identity-based policy allows the ecr:DescribeRepositories action$/);
  await fails(nobody.ecr.send(new ecrApi.DescribeRepositoriesCommand({})), 'AccessDeniedException', /repository\/\* because/);
  await fails(nobody.ecr.send(new ecrApi.GetAuthorizationTokenCommand({})), 'AccessDeniedException', /on resource: \* because/);
  await fails(nobody.ecs.send(new ListClustersCommand({})), 'AccessDeniedException', /ecs:ListClusters/);
  await fails(nobody.ec2.send(new DescribeVpcsCommand({})), 'UnauthorizedOperation', /^You are not authorized to perform this operation\. User: .*perform: ec2:DescribeVpcs because/);
  await fails(nobody.elb.send(new DescribeLoadBalancersCommand({})), 'AccessDenied', /elasticloadbalancing:DescribeLoadBalancers/);
  await fails(nobody.iam.send(new iamApi.ListUsersCommand({})), 'AccessDenied', /iam:ListUsers/);
  denied(await registry('team/app/manifests/latest', { as: nobody }),
    /^User: arn:aws:iam::000000000000:user\/nobody is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:000000000000:repository\/team\/app because no identity-based policy allows the ecr:BatchGetImage action$/);
  assert.equal((await registry('', { as: nobody })).status, 200);
});

test('a read-only user pulls and does not push, by API and by registry', async () => {
  const reader = await makeUser('reader', { attached: [READ_ONLY] });
  const { imageDetails } = await reader.ecr.send(new ecrApi.DescribeImagesCommand({ repositoryName: 'team/app' }));
  assert.equal(imageDetails.length, 1);
  await fails(reader.ecr.send(new ecrApi.CreateRepositoryCommand({ repositoryName: 'new/app' })), 'AccessDeniedException', /repository\/new\/app/);
  await fails(reader.ecr.send(new ecrApi.DeleteRepositoryCommand({ repositoryName: 'team/app', force: true })), 'AccessDeniedException');
  const token = await tokenOf(reader);
  const manifest = await registry('team/app/manifests/latest', { token });
  assert.equal(manifest.status, 200);
  const { config } = JSON.parse(manifest.text);
  assert.equal((await registry(`team/app/blobs/${config.digest}`, { token })).status, 200);
  assert.equal((await registry('team/app/tags/list', { token })).status, 200);
  denied(await registry('team/app/blobs/uploads/', { token, method: 'POST' }), /ecr:InitiateLayerUpload/);
  denied(await registry('team/app/manifests/latest', { token, method: 'DELETE' }), /ecr:BatchDeleteImage/);
  denied(await registry('team/app/manifests/x', { token, method: 'PUT', body: manifest.text }), /ecr:PutImage/);
});

test('a policy of one repository is of that one alone; skopeo pushes with it', async () => {
  const pusher = await makeUser('pusher', {
    policies: {
      push: policy(allow('ecr:GetAuthorizationToken'), allow(['ecr:Batch*', 'ecr:GetDownload*', 'ecr:*Layer*', 'ecr:PutImage'], arnOf('team/*'))),
    },
  });
  const credentials = `AWS:${await tokenOf(pusher)}`;
  const copy = (repository) => sampan.command('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', '--dest-creds', credentials,
    `oci:${busyboxLayout()}:latest`, `docker://${sampan.registry}/${repository}:pushed`]);
  await copy('team/app');
  await assert.rejects(copy('private/app'), /denied|not authorized|Forbidden/i);
  denied(await registry('private/app/manifests/latest', { as: pusher }), /repository\/private\/app/);
  // A mount reads another repository: who may not read it does not get its blob.
  const { config } = JSON.parse((await registry('team/app/manifests/latest', { as: pusher })).text);
  const root = clientsOf(sampan.clientOptions.credentials);
  await root.ecr.send(new ecrApi.CreateRepositoryCommand({ repositoryName: 'team/second' }));
  const mount = (from) => registry(`team/second/blobs/uploads/?mount=${config.digest}&from=${from}`, { as: pusher, method: 'POST' });
  assert.equal((await mount('private/app')).status, 202);
  assert.equal((await mount('team/app')).status, 201);
});

test('groups, managed policies and their versions decide too; a deny wins', async () => {
  const member = await makeUser('member');
  const list = () => member.ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'team/app' }));
  await fails(list(), 'AccessDeniedException');
  await iam.send(new iamApi.CreateGroupCommand({ GroupName: 'developers' }));
  const { Policy } = await iam.send(new iamApi.CreatePolicyCommand({ PolicyName: 'lists', PolicyDocument: policy(allow('ecr:ListImages')) }));
  await iam.send(new iamApi.AttachGroupPolicyCommand({ GroupName: 'developers', PolicyArn: Policy.Arn }));
  await iam.send(new iamApi.AddUserToGroupCommand({ GroupName: 'developers', UserName: 'member' }));
  await list();
  const { PolicyVersion } = await iam.send(new iamApi.CreatePolicyVersionCommand({
    PolicyArn: Policy.Arn, PolicyDocument: policy(allow('ecr:DescribeImages')), SetAsDefault: true,
  }));
  assert.equal(PolicyVersion.VersionId, 'v2');
  await fails(list(), 'AccessDeniedException');
  await iam.send(new iamApi.SetDefaultPolicyVersionCommand({ PolicyArn: Policy.Arn, VersionId: 'v1' }));
  await list();
  await iam.send(new iamApi.PutUserPolicyCommand({ UserName: 'member', PolicyName: 'no', PolicyDocument: policy(deny('ecr:*', arnOf('team/*'))) }));
  await fails(list(), 'AccessDeniedException', /with an explicit deny in an identity-based policy$/);
  await iam.send(new iamApi.DeleteUserPolicyCommand({ UserName: 'member', PolicyName: 'no' }));
  await iam.send(new iamApi.RemoveUserFromGroupCommand({ GroupName: 'developers', UserName: 'member' }));
  await fails(list(), 'AccessDeniedException');
});

test('variables and conditions: own keys, addresses, tags of repositories', async () => {
  const self = await makeUser('self', {
    policies: {
      own: policy(allow('iam:*AccessKey*', `arn:aws:iam::*:user/\${aws:username}`),
        allow('ecr:ListImages', '*', { Condition: { StringEquals: { 'ecr:ResourceTag/stage': 'public' } } }),
        allow('ecr:DescribeImages', '*', { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
        allow('ecr:DescribeRepositories', '*', { Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' }, Bool: { 'aws:SecureTransport': 'false' } } })),
    },
  });
  assert.equal((await self.iam.send(new iamApi.ListAccessKeysCommand({}))).AccessKeyMetadata.length, 1);
  await self.iam.send(new iamApi.ListAccessKeysCommand({ UserName: 'self' }));
  await fails(self.iam.send(new iamApi.ListAccessKeysCommand({ UserName: 'reader' })), 'AccessDenied');
  const images = () => self.ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'team/app' }));
  await fails(images(), 'AccessDeniedException');
  await sampan.ecr.send(new ecrApi.TagResourceCommand({ resourceArn: arnOf('team/app'), tags: [{ Key: 'stage', Value: 'public' }] }));
  await images();
  await sampan.ecr.send(new ecrApi.UntagResourceCommand({ resourceArn: arnOf('team/app'), tagKeys: ['stage'] }));
  await fails(images(), 'AccessDeniedException');
  await fails(self.ecr.send(new ecrApi.DescribeImagesCommand({ repositoryName: 'team/app' })), 'AccessDeniedException');
  await self.ecr.send(new ecrApi.DescribeRepositoriesCommand({}));
});

test('an inactive or deleted key stops working at once, and so do tokens made with it', async () => {
  const leaver = await makeUser('leaver', { attached: [READ_ONLY] });
  const token = await tokenOf(leaver);
  const { AccessKeyMetadata: [key] } = await iam.send(new iamApi.ListAccessKeysCommand({ UserName: 'leaver' }));
  assert.equal(key.Status, 'Active');
  const pull = () => registry('team/app/manifests/latest', { token });
  assert.equal((await pull()).status, 200);
  const layer = JSON.parse((await pull()).text).layers[0].digest;
  const { downloadUrl } = await leaver.ecr.send(new ecrApi.GetDownloadUrlForLayerCommand({ repositoryName: 'team/app', layerDigest: layer }));
  assert.equal((await fetch(downloadUrl)).status, 200);
  const set = (Status) => iam.send(new iamApi.UpdateAccessKeyCommand({ UserName: 'leaver', AccessKeyId: key.AccessKeyId, Status }));
  await set('Inactive');
  assert.equal((await pull()).status, 401);
  assert.equal((await fetch(downloadUrl)).status, 401);
  assert.equal((await registry('', { as: leaver })).status, 401);
  await fails(leaver.sts.send(new GetCallerIdentityCommand({})), 'InvalidClientTokenId');
  await set('Active');
  assert.equal((await pull()).status, 200);
  await iam.send(new iamApi.DeleteAccessKeyCommand({ UserName: 'leaver', AccessKeyId: key.AccessKeyId }));
  assert.equal((await pull()).status, 401);
  await fails(leaver.ecr.send(new ecrApi.DescribeRepositoriesCommand({})), 'UnrecognizedClientException');
});

test('a session of a user is held as the user is; the user gone, it may nothing', async () => {
  const user = await makeUser('sessions', { attached: [READ_ONLY] });
  const { Credentials } = await user.sts.send(new GetSessionTokenCommand({}));
  const session = clientsOf({ accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey, sessionToken: Credentials.SessionToken });
  await session.ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'team/app' }));
  await fails(session.ecr.send(new ecrApi.DeleteRepositoryCommand({ repositoryName: 'team/app' })), 'AccessDeniedException');
  await fails(iam.send(new iamApi.DeleteUserCommand({ UserName: 'sessions' })), 'DeleteConflictException', /must detach all policies first/);
  await iam.send(new iamApi.DetachUserPolicyCommand({ UserName: 'sessions', PolicyArn: READ_ONLY }));
  await fails(iam.send(new iamApi.DeleteUserCommand({ UserName: 'sessions' })), 'DeleteConflictException', /must delete access keys first/);
  await iam.send(new iamApi.DeleteAccessKeyCommand({ UserName: 'sessions', AccessKeyId: user.credentials.accessKeyId }));
  await iam.send(new iamApi.DeleteUserCommand({ UserName: 'sessions' }));
  await fails(session.ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'team/app' })), 'AccessDeniedException');
});

async function assume(by, RoleArn, more = {}) {
  const { Credentials } = await by.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'test', ...more }));
  return clientsOf({ accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey, sessionToken: Credentials.SessionToken });
}

test('a role that was created is held to its trust policy and its policies', async () => {
  const trusted = await makeUser('trusted');
  const stranger = await makeUser('stranger', { policies: { all: policy(allow('sts:*')) } });
  const roleArn = `arn:aws:iam::${HERE}:role/ci`;
  await iam.send(new iamApi.CreateRoleCommand({
    RoleName: 'ci', AssumeRolePolicyDocument: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: `arn:aws:iam::${HERE}:user/trusted` } }),
  }));
  await iam.send(new iamApi.PutRolePolicyCommand({ RoleName: 'ci', PolicyName: 'list', PolicyDocument: policy(allow('ecr:List*'), allow('ecr:Describe*')) }));
  await fails(stranger.sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'test' })), 'AccessDenied',
    /^User: arn:aws:iam::000000000000:user\/stranger is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role\/ci$/);
  const session = await assume(trusted, roleArn);
  const identity = await session.sts.send(new GetCallerIdentityCommand({}));
  assert.equal(identity.Arn, `arn:aws:sts::${HERE}:assumed-role/ci/test`);
  await session.ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'team/app' }));
  await fails(session.ecr.send(new ecrApi.PutImageTagMutabilityCommand({ repositoryName: 'team/app', imageTagMutability: 'IMMUTABLE' })),
    'AccessDeniedException', /^User: arn:aws:sts::000000000000:assumed-role\/ci\/test is not/);
  const narrow = await assume(trusted, roleArn, { Policy: policy(allow('ecr:ListImages')) });
  await narrow.ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'team/app' }));
  await fails(narrow.ecr.send(new ecrApi.DescribeRepositoriesCommand({})), 'AccessDeniedException', /no session policy allows/);
  await fails(trusted.sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'test', Policy: '{}' })), 'MalformedPolicyDocumentException');
  await fails(trusted.sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'test', DurationSeconds: 7200 })), 'ValidationError', /MaxSessionDuration/);
  // Only what the trust policy says, for root too.
  await fails(sampan.sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'test' })), 'AccessDenied');
  // Gone, its sessions may nothing: they do not become those of a role nobody made.
  await iam.send(new iamApi.DeleteRolePolicyCommand({ RoleName: 'ci', PolicyName: 'list' }));
  await iam.send(new iamApi.DeleteRoleCommand({ RoleName: 'ci' }));
  await fails(session.ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'team/app' })), 'AccessDeniedException');
  await iam.send(new iamApi.CreateRoleCommand({
    RoleName: 'ci', AssumeRolePolicyDocument: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: HERE } }),
  }));
  await iam.send(new iamApi.AttachRolePolicyCommand({ RoleName: 'ci', PolicyArn: READ_ONLY }));
  await fails(session.ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'team/app' })), 'AccessDeniedException');
  await (await assume(sampan, roleArn)).ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'team/app' }));
});

test('roles nobody made work as ever, but are no way up for those who are held', async () => {
  const full = await assume(sampan, `arn:aws:iam::${HERE}:role/assumed-to-exist`);
  await full.ecr.send(new ecrApi.DescribeRepositoriesCommand({}));
  const climber = await makeUser('climber', { policies: { all: policy(allow(['sts:*', 'ecs:*'])) } });
  await fails(climber.sts.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${HERE}:role/assumed-to-exist`, RoleSessionName: 'test' })), 'AccessDenied');
  const definition = (taskRoleArn) => climber.ecs.send(new RegisterTaskDefinitionCommand({
    family: 'climb', taskRoleArn, requiresCompatibilities: ['FARGATE'], networkMode: 'awsvpc', cpu: '256', memory: '512',
    containerDefinitions: [{ name: 'c', image: 'x' }],
  }));
  await definition();
  await fails(definition(`arn:aws:iam::${HERE}:role/assumed-to-exist`), 'AccessDeniedException', /iam:PassRole on resource: arn:aws:iam::000000000000:role\/assumed-to-exist/);
});

test('the policy of a repository opens it to users of the account, and closes it', async () => {
  const guest = await makeUser('guest');
  const repositoryName = 'private/app';
  const set = (policyText, force) => sampan.ecr.send(new ecrApi.SetRepositoryPolicyCommand({ repositoryName, policyText, force }));
  const pull = () => registry(`${repositoryName}/manifests/latest`, { as: guest });
  denied(await pull(), /identity-based/);
  await fails(sampan.ecr.send(new ecrApi.GetRepositoryPolicyCommand({ repositoryName })), 'RepositoryPolicyNotFoundException',
    /^Repository policy does not exist for the repository with name 'private\/app' in the registry with id '000000000000'$/);
  const opens = JSON.stringify({
    Version: '2008-10-17',
    Statement: [{ Sid: 'guests may pull', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${HERE}:user/guest` }, Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'] }],
  });
  const given = await set(opens);
  assert.deepEqual([given.registryId, given.repositoryName, given.policyText], [HERE, repositoryName, opens]);
  assert.equal((await sampan.ecr.send(new ecrApi.GetRepositoryPolicyCommand({ repositoryName }))).policyText, opens);
  assert.equal((await pull()).status, 200);
  const images = () => guest.ecr.send(new ecrApi.BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: 'latest' }] }));
  assert.equal((await images()).images.length, 1);
  // A deny wins over the user's own policy.
  await iam.send(new iamApi.AttachUserPolicyCommand({ UserName: 'guest', PolicyArn: POWER_USER }));
  await set(policy({ Effect: 'Deny', Principal: '*', Action: 'ecr:BatchGetImage' }));
  denied(await pull(), /with an explicit deny in a resource-based policy$/);
  await fails(images(), 'AccessDeniedException', /explicit deny in a resource-based policy/);
  // What would lock everybody out needs force; root is not held by it.
  const locks = policy({ Effect: 'Deny', Principal: '*', Action: 'ecr:*' });
  await fails(set(locks), 'InvalidParameterException', /PolicyText.*safety/);
  await set(locks, true);
  const gone = await sampan.ecr.send(new ecrApi.DeleteRepositoryPolicyCommand({ repositoryName }));
  assert.equal(gone.policyText, locks);
  assert.equal((await pull()).status, 200);
  const invalid = /^Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'$/;
  await fails(set('no json'), 'InvalidParameterException', invalid);
  await fails(set(policy(allow('ecr:*', '*', { Principal: '*' }))), 'InvalidParameterException', invalid);
  await fails(set(policy({ Effect: 'Allow', Action: 's3:*', Principal: '*' })), 'InvalidParameterException', invalid);
  await fails(sampan.ecr.send(new ecrApi.SetRepositoryPolicyCommand({ repositoryName: 'no/such', policyText: opens })), 'RepositoryNotFoundException');
  await fails(sampan.ecr.send(new ecrApi.DeleteRepositoryPolicyCommand({ repositoryName })), 'RepositoryPolicyNotFoundException');
});

test('another account: had by its role, opened by policies of repository and registry', async () => {
  // As with AWS Organizations: the operator takes the role that gives an account.
  const admin = await assume(sampan, `arn:aws:iam::${OTHER}:role/OrganizationAccountAccessRole`);
  const friend = await makeUser('friend', { by: admin.iam, attached: [POWER_USER] });
  assert.equal((await friend.sts.send(new GetCallerIdentityCommand({}))).Account, OTHER);
  const host = `${HERE}.dkr.ecr.us-east-1.amazonaws.com`;
  const repositoryName = 'team/app';
  const describe = (who) => who.ecr.send(new ecrApi.DescribeImagesCommand({ registryId: HERE, repositoryName }));
  const pull = (who) => registry(`${repositoryName}/manifests/latest`, { as: who, host });
  for (const who of [friend, admin]) {
    await fails(describe(who), 'AccessDeniedException', /because no resource-based policy allows the ecr:DescribeImages action$/);
  }
  denied(await pull(friend), /no resource-based policy allows the ecr:BatchGetImage action/);
  const opens = policy({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${OTHER}:root` }, Action: ['ecr:BatchGetImage', 'ecr:DescribeImages', 'ecr:GetDownloadUrlForLayer'] });
  await sampan.ecr.send(new ecrApi.SetRepositoryPolicyCommand({ repositoryName, policyText: opens }));
  for (const who of [friend, admin]) assert.equal((await describe(who)).imageDetails.length, 1);
  assert.equal((await pull(friend)).status, 200);
  denied(await registry(`${repositoryName}/blobs/uploads/`, { as: friend, host, method: 'POST' }), /InitiateLayerUpload/);
  // Both sides must allow.
  await admin.iam.send(new iamApi.PutUserPolicyCommand({ UserName: 'friend', PolicyName: 'no', PolicyDocument: policy(deny('ecr:*', arnOf('team/*'))) }));
  await fails(describe(friend), 'AccessDeniedException', /explicit deny in an identity-based policy/);
  await admin.iam.send(new iamApi.DeleteUserPolicyCommand({ UserName: 'friend', PolicyName: 'no' }));
  await sampan.ecr.send(new ecrApi.DeleteRepositoryPolicyCommand({ repositoryName }));
  await fails(describe(friend), 'AccessDeniedException');

  await fails(sampan.ecr.send(new ecrApi.GetRegistryPolicyCommand({})), 'RegistryPolicyNotFoundException',
    /^Registry policy does not exist in the registry with id '000000000000'$/);
  await fails(sampan.ecr.send(new ecrApi.PutRegistryPolicyCommand({ policyText: opens })), 'InvalidParameterException', /Invalid registry policy provided/);
  const whole = policy(allow(['ecr:DescribeImages', 'ecr:BatchGetImage'], arnOf('team/*'), { Sid: 'x', Principal: { AWS: OTHER } }));
  assert.equal((await sampan.ecr.send(new ecrApi.PutRegistryPolicyCommand({ policyText: whole }))).registryId, HERE);
  assert.equal((await sampan.ecr.send(new ecrApi.GetRegistryPolicyCommand({}))).policyText, whole);
  await describe(friend);
  assert.equal((await pull(friend)).status, 200);
  await fails(friend.ecr.send(new ecrApi.DescribeImagesCommand({ registryId: HERE, repositoryName: 'private/app' })), 'AccessDeniedException');
  await sampan.ecr.send(new ecrApi.DeleteRegistryPolicyCommand({}));
  await fails(sampan.ecr.send(new ecrApi.DeleteRegistryPolicyCommand({})), 'RegistryPolicyNotFoundException');
  await fails(describe(friend), 'AccessDeniedException');
  // Its own registry is its own, and it has no way into this account.
  await friend.ecr.send(new ecrApi.DescribeRepositoriesCommand({}));
  await fails(admin.sts.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${HERE}:role/any`, RoleSessionName: 'test' })), 'AccessDenied');
});

test("Sampan's own API is held too", async () => {
  const user = await makeUser('builder');
  const environment = { ...sampan.environment, AWS_ACCESS_KEY_ID: user.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: user.credentials.secretAccessKey };
  const pull = () => sampan.command('sampan', ['pull', `localhost:${sampan.port}/team/app:latest`], { env: environment });
  await assert.rejects(pull(), /not authorized to perform: sampan:PullImage/);
  await iam.send(new iamApi.PutUserPolicyCommand({ UserName: 'builder', PolicyName: 'p', PolicyDocument: policy(allow('sampan:GetBuild')) }));
  await assert.rejects(pull(), /not authorized to perform: sampan:PullImage/);
});

test('IAM: what is made is shown, listed, paged and taken away; errors in AWS\'s words', async () => {
  const made = await iam.send(new iamApi.CreateUserCommand({ UserName: 'Ana', Path: '/team/', Tags: [{ Key: 'k', Value: 'v' }] }));
  assert.equal(made.User.Arn, `arn:aws:iam::${HERE}:user/team/Ana`);
  await fails(iam.send(new iamApi.CreateUserCommand({ UserName: 'ana' })), 'EntityAlreadyExistsException', /^User with name ana already exists\.$/);
  await fails(iam.send(new iamApi.GetUserCommand({ UserName: 'no' })), 'NoSuchEntityException', /^The user with name no cannot be found\.$/);
  assert.deepEqual((await iam.send(new iamApi.GetUserCommand({ UserName: 'Ana' }))).User.Tags, [{ Key: 'k', Value: 'v' }]);
  assert.equal((await iam.send(new iamApi.GetUserCommand({}))).User.Arn, `arn:aws:iam::${HERE}:root`);
  await iam.send(new iamApi.TagUserCommand({ UserName: 'Ana', Tags: [{ Key: 'l', Value: 'w' }] }));
  await iam.send(new iamApi.UntagUserCommand({ UserName: 'Ana', TagKeys: ['k'] }));
  assert.deepEqual((await iam.send(new iamApi.ListUserTagsCommand({ UserName: 'Ana' }))).Tags, [{ Key: 'l', Value: 'w' }]);
  assert.deepEqual((await iam.send(new iamApi.ListUsersCommand({ PathPrefix: '/team/' }))).Users.map((user) => user.UserName), ['Ana']);
  const names = [];
  for await (const page of iamApi.paginateListUsers({ client: iam, pageSize: 2 }, {})) names.push(...page.Users.map((user) => user.UserName));
  assert.ok(names.includes('nobody') && names.includes('Ana') && new Set(names).size === names.length);

  const document = policy(allow('ecr:*'));
  await fails(iam.send(new iamApi.PutUserPolicyCommand({ UserName: 'Ana', PolicyName: 'p', PolicyDocument: '{"Version":"2012-10-17"}' })), 'MalformedPolicyDocumentException', /^Syntax errors in policy\.$/);
  await fails(iam.send(new iamApi.PutUserPolicyCommand({ UserName: 'Ana', PolicyName: 'p', PolicyDocument: policy(allow('ecr:*', arnOf('x'.repeat(2100)))) })), 'LimitExceededException', /^Maximum policy size of 2048 bytes exceeded for user Ana$/);
  await iam.send(new iamApi.PutUserPolicyCommand({ UserName: 'Ana', PolicyName: 'p', PolicyDocument: document }));
  const inline = await iam.send(new iamApi.GetUserPolicyCommand({ UserName: 'Ana', PolicyName: 'p' }));
  assert.equal(decodeURIComponent(inline.PolicyDocument), document);
  assert.deepEqual((await iam.send(new iamApi.ListUserPoliciesCommand({ UserName: 'Ana' }))).PolicyNames, ['p']);
  await fails(iam.send(new iamApi.GetUserPolicyCommand({ UserName: 'Ana', PolicyName: 'q' })), 'NoSuchEntityException', /^The user policy with name q cannot be found\.$/);
  await fails(iam.send(new iamApi.AttachUserPolicyCommand({ UserName: 'Ana', PolicyArn: 'arn:aws:iam::aws:policy/Nothing' })), 'NoSuchEntityException', /does not exist or is not attachable/);
  await fails(iam.send(new iamApi.CreateUserCommand({ UserName: 'bounded', PermissionsBoundary: READ_ONLY })), 'InvalidInputException');

  await iam.send(new iamApi.CreateAccessKeyCommand({ UserName: 'Ana' }));
  const second = await iam.send(new iamApi.CreateAccessKeyCommand({ UserName: 'Ana' }));
  assert.match(second.AccessKey.AccessKeyId, /^AKIA[A-Z2-7]{16}$/);
  await fails(iam.send(new iamApi.CreateAccessKeyCommand({ UserName: 'Ana' })), 'LimitExceededException', /AccessKeysPerUser: 2/);
  assert.equal((await iam.send(new iamApi.GetAccessKeyLastUsedCommand({ AccessKeyId: second.AccessKey.AccessKeyId }))).UserName, 'Ana');
  await fails(iam.send(new iamApi.DeleteAccessKeyCommand({ UserName: 'Ana', AccessKeyId: 'AKIANOSUCHKEYANYWHERE' })), 'NoSuchEntityException', /cannot be found/);

  const group = await iam.send(new iamApi.CreateGroupCommand({ GroupName: 'g' }));
  assert.match(group.Group.Arn, /:group\/g$/);
  await iam.send(new iamApi.AddUserToGroupCommand({ GroupName: 'g', UserName: 'Ana' }));
  assert.equal((await iam.send(new iamApi.GetGroupCommand({ GroupName: 'g' }))).Users[0].UserName, 'Ana');
  assert.equal((await iam.send(new iamApi.ListGroupsForUserCommand({ UserName: 'Ana' }))).Groups[0].GroupName, 'g');
  await fails(iam.send(new iamApi.DeleteGroupCommand({ GroupName: 'g' })), 'DeleteConflictException');
  await iam.send(new iamApi.PutGroupPolicyCommand({ GroupName: 'g', PolicyName: 'p', PolicyDocument: document }));
  assert.equal(decodeURIComponent((await iam.send(new iamApi.GetGroupPolicyCommand({ GroupName: 'g', PolicyName: 'p' }))).PolicyDocument), document);
  assert.deepEqual((await iam.send(new iamApi.ListGroupPoliciesCommand({ GroupName: 'g' }))).PolicyNames, ['p']);
  await iam.send(new iamApi.DeleteGroupPolicyCommand({ GroupName: 'g', PolicyName: 'p' }));
  assert.equal((await iam.send(new iamApi.ListGroupsCommand({}))).Groups.some((one) => one.GroupName === 'g'), true);

  const { Policy } = await iam.send(new iamApi.CreatePolicyCommand({ PolicyName: 'mine', PolicyDocument: document, Description: 'd' }));
  assert.equal(Policy.Arn, `arn:aws:iam::${HERE}:policy/mine`);
  await fails(iam.send(new iamApi.CreatePolicyCommand({ PolicyName: 'mine', PolicyDocument: document })), 'EntityAlreadyExistsException', /^A policy called mine already exists/);
  await iam.send(new iamApi.AttachGroupPolicyCommand({ GroupName: 'g', PolicyArn: Policy.Arn }));
  assert.equal((await iam.send(new iamApi.ListAttachedGroupPoliciesCommand({ GroupName: 'g' }))).AttachedPolicies[0].PolicyArn, Policy.Arn);
  await iam.send(new iamApi.AttachUserPolicyCommand({ UserName: 'Ana', PolicyArn: READ_ONLY }));
  assert.deepEqual((await iam.send(new iamApi.ListAttachedUserPoliciesCommand({ UserName: 'Ana' }))).AttachedPolicies,
    [{ PolicyName: 'AmazonEC2ContainerRegistryReadOnly', PolicyArn: READ_ONLY }]);
  assert.equal((await iam.send(new iamApi.ListEntitiesForPolicyCommand({ PolicyArn: Policy.Arn }))).PolicyGroups[0].GroupName, 'g');
  await fails(iam.send(new iamApi.DeletePolicyCommand({ PolicyArn: Policy.Arn })), 'DeleteConflictException', /attached to entities/);
  assert.equal((await iam.send(new iamApi.GetPolicyCommand({ PolicyArn: Policy.Arn }))).Policy.AttachmentCount, 1);
  assert.equal((await iam.send(new iamApi.ListPoliciesCommand({ Scope: 'Local', OnlyAttached: true }))).Policies.some((one) => one.Arn === Policy.Arn), true);
  await iam.send(new iamApi.CreatePolicyVersionCommand({ PolicyArn: Policy.Arn, PolicyDocument: policy(deny('ecr:*')) }));
  assert.deepEqual((await iam.send(new iamApi.ListPolicyVersionsCommand({ PolicyArn: Policy.Arn }))).Versions.map((one) => [one.VersionId, one.IsDefaultVersion]), [['v2', false], ['v1', true]]);
  assert.equal(decodeURIComponent((await iam.send(new iamApi.GetPolicyVersionCommand({ PolicyArn: Policy.Arn, VersionId: 'v1' }))).PolicyVersion.Document), document);
  await fails(iam.send(new iamApi.DeletePolicyVersionCommand({ PolicyArn: Policy.Arn, VersionId: 'v1' })), 'DeleteConflictException');
  await iam.send(new iamApi.DetachGroupPolicyCommand({ GroupName: 'g', PolicyArn: Policy.Arn }));
  await fails(iam.send(new iamApi.DeletePolicyCommand({ PolicyArn: Policy.Arn })), 'DeleteConflictException', /more than one version/);
  await iam.send(new iamApi.DeletePolicyVersionCommand({ PolicyArn: Policy.Arn, VersionId: 'v2' }));
  await iam.send(new iamApi.DeletePolicyCommand({ PolicyArn: Policy.Arn }));
  await fails(iam.send(new iamApi.GetPolicyCommand({ PolicyArn: Policy.Arn })), 'NoSuchEntityException');

  const trust = policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ecs-tasks.amazonaws.com' } });
  await fails(iam.send(new iamApi.CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: document })), 'MalformedPolicyDocumentException');
  const { Role } = await iam.send(new iamApi.CreateRoleCommand({ RoleName: 'r', Path: '/p/', AssumeRolePolicyDocument: trust, Description: 'tasks' }));
  assert.equal(Role.Arn, `arn:aws:iam::${HERE}:role/p/r`);
  await iam.send(new iamApi.UpdateRoleCommand({ RoleName: 'r', MaxSessionDuration: 7200, Description: 'more' }));
  await iam.send(new iamApi.TagRoleCommand({ RoleName: 'r', Tags: [{ Key: 'a', Value: 'b' }, { Key: 'c', Value: 'd' }] }));
  await iam.send(new iamApi.UntagRoleCommand({ RoleName: 'r', TagKeys: ['c'] }));
  assert.deepEqual((await iam.send(new iamApi.ListRoleTagsCommand({ RoleName: 'r' }))).Tags, [{ Key: 'a', Value: 'b' }]);
  const shown = (await iam.send(new iamApi.GetRoleCommand({ RoleName: 'r' }))).Role;
  assert.deepEqual([shown.Description, shown.MaxSessionDuration, decodeURIComponent(shown.AssumeRolePolicyDocument)], ['more', 7200, trust]);
  await iam.send(new iamApi.UpdateAssumeRolePolicyCommand({ RoleName: 'r', PolicyDocument: trust }));
  assert.equal((await iam.send(new iamApi.ListRolesCommand({ PathPrefix: '/p/' }))).Roles.length, 1);
  await iam.send(new iamApi.PutRolePolicyCommand({ RoleName: 'r', PolicyName: 'p', PolicyDocument: document }));
  await iam.send(new iamApi.GetRolePolicyCommand({ RoleName: 'r', PolicyName: 'p' }));
  assert.deepEqual((await iam.send(new iamApi.ListRolePoliciesCommand({ RoleName: 'r' }))).PolicyNames, ['p']);
  await iam.send(new iamApi.AttachRolePolicyCommand({ RoleName: 'r', PolicyArn: READ_ONLY }));
  assert.equal((await iam.send(new iamApi.ListAttachedRolePoliciesCommand({ RoleName: 'r' }))).AttachedPolicies.length, 1);
  await fails(iam.send(new iamApi.DeleteRoleCommand({ RoleName: 'r' })), 'DeleteConflictException', /detach all policies/);
  await iam.send(new iamApi.DetachRolePolicyCommand({ RoleName: 'r', PolicyArn: READ_ONLY }));
  await iam.send(new iamApi.DeleteRolePolicyCommand({ RoleName: 'r', PolicyName: 'p' }));
  await iam.send(new iamApi.DeleteRoleCommand({ RoleName: 'r' }));

  const { EvaluationResults } = await iam.send(new iamApi.SimulatePrincipalPolicyCommand({
    PolicySourceArn: `arn:aws:iam::${HERE}:user/team/Ana`, ActionNames: ['ecr:PutImage', 'ecs:RunTask'], ResourceArns: [arnOf('x')],
  }));
  assert.deepEqual(EvaluationResults.map((one) => one.EvalDecision), ['allowed', 'implicitDeny']);
});

test('users, keys and policies outlive the daemon', async () => {
  const stays = await makeUser('stays', { attached: [READ_ONLY] });
  await sampan.ecr.send(new ecrApi.SetRepositoryPolicyCommand({ repositoryName: 'private/app', policyText: policy({ Effect: 'Deny', Principal: '*', Action: 'ecr:ListImages' }) }));
  await sampan.kill();
  await sampan.restart();
  await stays.ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'team/app' }));
  await fails(stays.ecr.send(new ecrApi.ListImagesCommand({ repositoryName: 'private/app' })), 'AccessDeniedException', /resource-based/);
  await fails(stays.ecr.send(new ecrApi.DeleteRepositoryCommand({ repositoryName: 'team/app' })), 'AccessDeniedException');
});
