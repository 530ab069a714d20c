// The hash the SDK's signer wants, over Node's own.
import { createHash, createHmac } from 'node:crypto';

export class Hash {
  constructor(secret) { this.hash = secret ? createHmac('sha256', secret) : createHash('sha256'); }
  update(data) { this.hash.update(data); }
  async digest() { return new Uint8Array(this.hash.digest()); }
}
