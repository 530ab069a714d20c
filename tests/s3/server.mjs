// A small S3-compatible server for the tests, written from S3's reference alone: it shares no code with what it tests and
// checks signatures (SigV4 in headers and in URLs), body hashes, part numbers, sizes and ETags itself, strictly. Objects
// are in memory. Debian has no S3 server that can be started for a test in passing, and the npm ones neither list nor
// abort multipart uploads.
//
//   node server.mjs --port-file FILE [--bucket NAME] [--key ID] [--secret S] [--region R] [--page N] [--fail N]
//
// It writes its port to FILE. --page: keys in a listing's page. --fail: every N-th request that is not a link's answers 503 SlowDown.
// PUT /_control?slow=MS makes parts slow; GET /_control tells how many objects, uploads and requests there were.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const options = { bucket: 'blobs', key: 'AKIATESTS3', secret: 's3-secret', region: 'eu-test-1', page: '2', fail: '0', 'port-file': '' };
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1];

const objects = new Map(); // key -> {bytes, etag, at}
const uploads = new Map(); // id -> {key, at, parts: Map(number -> {bytes, etag})}
let requests = 0, slow = 0, nextUpload = 1;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const md5 = (bytes) => createHash('md5').update(bytes).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

class Fault extends Error {
  constructor(status, code, message) { super(message); this.status = status; this.code = code; }
}
const denied = (message) => new Fault(403, 'AccessDenied', message);

function signature(method, path, query, headers, signedHeaders, payload, date, scope) {
  const canonicalQuery = [...query].map(([k, v]) => [encode(k), encode(v)]).sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0)).map(([k, v]) => `${k}=${v}`).join('&');
  const canonicalPath = path.split('/').map((part) => encode(decodeURIComponent(part))).join('/');
  const canonicalHeaders = signedHeaders.map((name) => `${name}:${String(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`).join('');
  const canonical = [method, canonicalPath, canonicalQuery, canonicalHeaders, signedHeaders.join(';'), payload].join('\n');
  const [day, region, service, end] = scope;
  const key = hmac(hmac(hmac(hmac(`AWS4${options.secret}`, day), region), service), end);
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n')).toString('hex');
}

function checkTime(date, seconds) {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date ?? '');
  if (!match) throw denied('no date');
  const [, y, mo, d, h, mi, s] = match.map(Number);
  const age = (Date.now() - Date.UTC(y, mo - 1, d, h, mi, s)) / 1000;
  if (age > seconds || age < -900) throw new Fault(403, 'RequestTimeTooSkewed', `the request is ${age} s old`);
}

function checkScope(credential, date) {
  const [key, ...scope] = credential.split('/');
  if (key !== options.key) throw new Fault(403, 'InvalidAccessKeyId', 'no such key');
  if (scope.length !== 4 || scope[0] !== date.slice(0, 8) || scope[1] !== options.region || scope[2] !== 's3' || scope[3] !== 'aws4_request') throw denied(`bad scope ${scope.join('/')}`);
  return scope;
}

function same(a, b) {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function authenticate(request, url, body) {
  const { headers } = request;
  if (url.searchParams.has('X-Amz-Signature')) {
    const query = new URLSearchParams(url.search);
    const given = query.get('X-Amz-Signature');
    query.delete('X-Amz-Signature');
    const date = query.get('X-Amz-Date'), life = Number(query.get('X-Amz-Expires'));
    if (query.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256' || !(life > 0 && life <= 604800)) throw denied('bad presigned URL');
    checkTime(date, life);
    const scope = checkScope(query.get('X-Amz-Credential') ?? '', date);
    const names = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
    if (!names.includes('host')) throw denied('host is not signed');
    if (!same(given, signature(request.method, url.pathname, query, headers, names, 'UNSIGNED-PAYLOAD', date, scope))) throw new Fault(403, 'SignatureDoesNotMatch', 'presigned');
    return;
  }
  const match = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '');
  if (!match) throw denied('no signature');
  const date = headers['x-amz-date'], payload = headers['x-amz-content-sha256'];
  if (!payload) throw new Fault(400, 'InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  checkTime(date, 900);
  const scope = checkScope(match[1], date);
  const names = match[2].split(';');
  for (const name of ['host', 'x-amz-content-sha256', 'x-amz-date']) if (!names.includes(name)) throw denied(`${name} is not signed`);
  if (!same(match[3], signature(request.method, url.pathname, url.searchParams, headers, names, payload, date, scope))) throw new Fault(403, 'SignatureDoesNotMatch', 'header');
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== sha256(body)) throw new Fault(400, 'XAmzContentSHA256Mismatch', 'the body has another hash');
}

function send(response, status, headers, body = '') {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), 'x-amz-request-id': String(requests), ...headers });
  response.end(body);
}
const xml = (response, root, inner) => send(response, 200, { 'content-type': 'application/xml' }, `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${root}>`);

function getObject(request, response, key) {
  const object = objects.get(key);
  if (!object) throw new Fault(404, 'NoSuchKey', 'The specified key does not exist.');
  const headers = { etag: `"${object.etag}"`, 'last-modified': object.at.toUTCString(), 'accept-ranges': 'bytes', 'content-type': 'binary/octet-stream' };
  const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
  const size = object.bytes.length;
  if (!range) return send(response, 200, headers, object.bytes);
  let first = range[1] === '' ? Math.max(0, size - Number(range[2])) : Number(range[1]);
  let last = range[1] === '' || range[2] === '' ? size - 1 : Math.min(Number(range[2]), size - 1);
  if (first >= size || last < first) throw Object.assign(new Fault(416, 'InvalidRange', 'The requested range is not satisfiable'), { headers: { 'content-range': `bytes */${size}` } });
  send(response, 206, { ...headers, 'content-range': `bytes ${first}-${last}/${size}` }, object.bytes.subarray(first, last + 1));
}

function listObjects(response, query) {
  const prefix = query.get('prefix') ?? '', after = query.get('continuation-token') ? Buffer.from(query.get('continuation-token'), 'base64').toString() : '';
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, Number(options.page));
  const more = keys.length > page.length;
  xml(response, 'ListBucketResult', `<Name>${options.bucket}</Name><IsTruncated>${more}</IsTruncated>${page.map((key) => {
    const { bytes, etag, at } = objects.get(key);
    return `<Contents><Key>${escape(key)}</Key><LastModified>${at.toISOString()}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${bytes.length}</Size></Contents>`;
  }).join('')}${more ? `<NextContinuationToken>${Buffer.from(page.at(-1)).toString('base64')}</NextContinuationToken>` : ''}`);
}

function listUploads(response, query) {
  const after = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? ''];
  const later = ([id, { key }]) => key > after[0] || (key === after[0] && id > after[1]);
  const all = [...uploads].filter(([, { key }]) => key.startsWith(query.get('prefix') ?? '')).sort(([a, x], [b, y]) => (x.key < y.key ? -1 : x.key > y.key ? 1 : a < b ? -1 : 1)).filter(later);
  const page = all.slice(0, Number(options.page));
  const more = all.length > page.length;
  xml(response, 'ListMultipartUploadsResult', `<IsTruncated>${more}</IsTruncated>${more ? `<NextKeyMarker>${escape(page.at(-1)[1].key)}</NextKeyMarker><NextUploadIdMarker>${page.at(-1)[0]}</NextUploadIdMarker>` : ''}${page.map(([id, { key, at }]) => `<Upload><Key>${escape(key)}</Key><UploadId>${id}</UploadId><Initiated>${at.toISOString()}</Initiated></Upload>`).join('')}`);
}

function findUpload(id, key) {
  const upload = uploads.get(id);
  if (!upload || upload.key !== key) throw new Fault(404, 'NoSuchUpload', 'The specified upload does not exist.');
  return upload;
}

function complete(response, id, key, body) {
  const upload = findUpload(id, key);
  const parts = [...String(body).matchAll(/<Part>\s*<PartNumber>(\d+)<\/PartNumber>\s*<ETag>(?:"|&quot;)?([0-9a-f]{32})(?:"|&quot;)?<\/ETag>\s*<\/Part>/g)].map((m) => ({ number: Number(m[1]), etag: m[2] }));
  if (parts.length === 0) throw new Fault(400, 'MalformedXML', 'no parts');
  const bytes = parts.map(({ number, etag }, i) => {
    const part = upload.parts.get(number);
    if (!part || part.etag !== etag) throw new Fault(400, 'InvalidPart', `part ${number}`);
    if (i > 0 && parts[i - 1].number >= number) throw new Fault(400, 'InvalidPartOrder', `part ${number}`);
    if (i < parts.length - 1 && part.bytes.length < 5 << 20) throw new Fault(400, 'EntityTooSmall', `part ${number}`);
    return part.bytes;
  });
  const etag = `${md5(Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex'))))}-${parts.length}`;
  objects.set(key, { bytes: Buffer.concat(bytes), etag, at: new Date() });
  uploads.delete(id);
  xml(response, 'CompleteMultipartUploadResult', `<Key>${escape(key)}</Key><ETag>&quot;${etag}&quot;</ETag>`);
}

async function serve(request, response, url, body) {
  const [, bucket, ...rest] = decodeURIComponent(url.pathname).split('/');
  const key = rest.join('/'), query = url.searchParams, { method } = request;
  if (bucket !== options.bucket) throw new Fault(404, 'NoSuchBucket', 'The specified bucket does not exist');
  if (key === '') {
    if (method === 'GET' && query.has('uploads')) return listUploads(response, query);
    if (method === 'GET' && query.get('list-type') === '2') return listObjects(response, query);
    throw new Fault(501, 'NotImplemented', `${method} of a bucket`);
  }
  const upload = query.get('uploadId');
  if (method === 'GET') return getObject(request, response, key);
  if (method === 'DELETE') {
    if (upload) { findUpload(upload, key); uploads.delete(upload); } else objects.delete(key);
    return send(response, 204, {});
  }
  if (method === 'POST' && query.has('uploads')) {
    const id = `upload-${String(nextUpload++).padStart(6, '0')}+/=`; // ids are opaque: this one needs encoding
    uploads.set(id, { key, at: new Date(), parts: new Map() });
    return xml(response, 'InitiateMultipartUploadResult', `<Bucket>${bucket}</Bucket><Key>${escape(key)}</Key><UploadId>${id}</UploadId>`);
  }
  if (method === 'POST' && upload) return complete(response, upload, key, body);
  if (method !== 'PUT') throw new Fault(405, 'MethodNotAllowed', method);
  const etag = md5(body);
  if (upload) {
    const number = Number(query.get('partNumber'));
    if (!(number >= 1 && number <= 10_000)) throw new Fault(400, 'InvalidArgument', 'partNumber');
    if (slow) await new Promise((resolve) => setTimeout(resolve, slow));
    findUpload(upload, key).parts.set(number, { bytes: body, etag });
  } else {
    objects.set(key, { bytes: body, etag, at: new Date() });
  }
  send(response, 200, { etag: `"${etag}"` });
}

const server = createServer(async (request, response) => {
  const chunks = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks), url = new URL(request.url, 'http://s3');
    if (url.pathname === '/_control') {
      if (url.searchParams.has('slow')) slow = Number(url.searchParams.get('slow'));
      return send(response, 200, { 'content-type': 'application/json' }, JSON.stringify({ objects: [...objects.keys()].sort(), uploads: uploads.size, requests }));
    }
    ++requests;
    const link = url.searchParams.has('X-Amz-Signature'); // its reader need not know how to try again
    if (!link && Number(options.fail) && requests % Number(options.fail) === 0) throw new Fault(503, 'SlowDown', 'Please reduce your request rate.');
    authenticate(request, url, body);
    await serve(request, response, url, body);
  } catch (error) {
    if (response.headersSent || response.destroyed) return;
    send(response, error.status ?? 500, { 'content-type': 'application/xml', ...error.headers }, `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${error.code ?? 'InternalError'}</Code><Message>${escape(error.message)}</Message></Error>`);
  }
});
server.listen(0, '127.0.0.1', () => {
  writeFileSync(`${options['port-file']}.part`, String(server.address().port));
  renameSync(`${options['port-file']}.part`, options['port-file']);
});
process.on('SIGTERM', () => process.exit(0));
