// Another registry for tests: Debian's docker-registry over TLS with an authority of its own and a password.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort, until } from './harness.mjs';

export class Upstream {
  static async start({ user = 'robot', password = 'pa:ss word' } = {}) {
    const self = new Upstream();
    Object.assign(self, { user, password, port: await freePort() });
    self.host = `localhost:${self.port}`;
    self.directory = mkdtempSync(path.join(tmpdir(), 'sampan-upstream-'));
    self.makeCertificates();
    const hash = execFileSync('python3', ['-W', 'ignore', '-c', 'import crypt, sys; print(crypt.crypt(sys.argv[1], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))', password], { encoding: 'utf8' }).trim();
    writeFileSync(self.file('htpasswd'), `${user}:${hash}\n`);
    writeFileSync(self.file('config.yml'), JSON.stringify({
      version: 0.1, log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: self.file('storage') }, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${self.port}`, tls: { certificate: self.file('server.pem'), key: self.file('server.key') } },
      auth: { htpasswd: { realm: 'upstream', path: self.file('htpasswd') } },
    }));
    await self.spawn();
    return self;
  }

  file(name) { return path.join(this.directory, name); }
  get ca() { return this.file('certs/ca.crt'); }
  get url() { return `https://${this.host}`; }

  makeCertificates() {
    execFileSync('bash', ['-euc', `
      mkdir certs
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out certs/ca.crt -days 2 -subj '/CN=upstream authority' \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=localhost
      printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' > extensions
      openssl x509 -req -in server.csr -CA certs/ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem
    `], { cwd: this.directory, stdio: 'pipe' });
  }

  async spawn() {
    this.process = spawn('docker-registry', ['serve', this.file('config.yml')], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' } });
    this.log = '';
    this.process.stderr.on('data', (text) => { this.log = (this.log + text).slice(-20_000); });
    this.exit = new Promise((resolve) => { this.process.on('exit', resolve); });
    await until('the upstream answers', () => new Promise((resolve, reject) => {
      const request = https.get({ host: '127.0.0.1', port: this.port, path: '/v2/', rejectUnauthorized: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 401);
      });
      request.on('error', reject);
    }), 20, 50).catch((error) => { throw new Error(`${error.message}\n${this.log}`); });
  }

  /** Puts an OCI layout's image there under NAME:TAG. */
  async push(sampan, layout, name) {
    await sampan.command('skopeo', ['copy', '--quiet', '--dest-cert-dir', this.file('certs'), '--dest-creds', `${this.user}:${this.password}`, `oci:${layout}:latest`, `docker://${this.host}/${name}`]);
  }

  async down() {
    this.process.kill('SIGTERM');
    await this.exit;
  }

  async stop() {
    await this.down();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
