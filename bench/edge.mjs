// Requests a second and p99 through a load balancer to 2 tasks, beside nginx as the proxy to the same tasks.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateServiceCommand, DescribeServicesCommand, DescribeTasksCommand, ListTasksCommand, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { CreateListenerCommand, CreateLoadBalancerCommand, CreateTargetGroupCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { imageLayout } from '../tests/e2e/harness.mjs';
import { Peer, Report, Sampan, freePort, installed, until, wrk } from './lib.mjs';

/** This machine's own nginx and the libraries it needs, answering a short page on 8080. */
const nginxLayout = () => imageLayout('nginx', {
  more: `
    nginx=$(command -v nginx)
    mkdir -p rootfs/usr/sbin rootfs/var/lib/nginx rootfs/var/log/nginx rootfs/run
    cp "$nginx" rootfs/usr/sbin/nginx
    for library in $(ldd "$nginx" | grep -o '/[^ ]*'); do mkdir -p "rootfs$(dirname "$library")" && cp -L "$library" "rootfs$library"; done
    cat > rootfs/etc/nginx.conf <<CONF
user root; worker_processes 1; daemon off; error_log /dev/null; pid /run/nginx.pid;
events { worker_connections 2048; }
http { access_log off; keepalive_requests 1000000; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;
  server { listen 8080; location / { return 200 "a short answer from a task behind a load balancer\\n"; } } }
CONF
  `,
  config: { Env: ['PATH=/bin:/usr/sbin'], Cmd: ['/usr/sbin/nginx', '-c', '/etc/nginx.conf', '-e', '/dev/null'] },
});

if (!installed('nginx')) {
  console.log('edge: nginx is both the tasks and the peer of this benchmark: apt-get install nginx-light');
  process.exit(1);
}
const report = new Report('edge');
const sampan = await Sampan.start({ flags: ['--log-level', 'warn'] });
const directory = mkdtempSync(path.join(tmpdir(), 'sampan-edge-'));
try {
  const image = await sampan.pushLayout(nginxLayout(), 'nginx');
  const subnets = await sampan.subnets();
  const port = await freePort();
  const { LoadBalancers: [balancer] } = await sampan.elb.send(new CreateLoadBalancerCommand({ Name: 'bench', Subnets: subnets }));
  const { TargetGroups: [group] } = await sampan.elb.send(new CreateTargetGroupCommand({
    Name: 'bench', Protocol: 'HTTP', Port: 8080, TargetType: 'ip', VpcId: balancer.VpcId, HealthCheckPath: '/', HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 2,
  }));
  await sampan.elb.send(new CreateListenerCommand({
    LoadBalancerArn: balancer.LoadBalancerArn, Protocol: 'HTTP', Port: port, DefaultActions: [{ Type: 'forward', TargetGroupArn: group.TargetGroupArn }],
  }));
  await sampan.ecs.send(new RegisterTaskDefinitionCommand({
    family: 'edge', requiresCompatibilities: ['FARGATE'], networkMode: 'awsvpc', cpu: '1024', memory: '2048',
    executionRoleArn: 'arn:aws:iam::000000000000:role/ecsTaskExecutionRole',
    containerDefinitions: [{ name: 'web', image, portMappings: [{ containerPort: 8080 }] }],
  }));
  await sampan.ecs.send(new CreateServiceCommand({
    serviceName: 'edge', taskDefinition: 'edge', desiredCount: 2, launchType: 'FARGATE', networkConfiguration: { awsvpcConfiguration: { subnets } },
    loadBalancers: [{ targetGroupArn: group.TargetGroupArn, containerName: 'web', containerPort: 8080 }],
  }));
  await until('the service is steady', async () => {
    const { services: [found] } = await sampan.ecs.send(new DescribeServicesCommand({ services: ['edge'] }));
    return found.runningCount === 2 && found.deployments[0].rolloutState === 'COMPLETED';
  }, 120);
  const { taskArns } = await sampan.ecs.send(new ListTasksCommand({ serviceName: 'edge' }));
  const { tasks } = await sampan.ecs.send(new DescribeTasksCommand({ tasks: taskArns }));
  const addresses = tasks.map((task) => task.containers[0].networkInterfaces[0].privateIpv4Address);

  let peerPort, peer;
  if (installed('nginx')) {
    peerPort = await freePort();
    writeFileSync(path.join(directory, 'nginx.conf'), `worker_processes 2; daemon off; pid ${directory}/pid; error_log /dev/null;
events { worker_connections 4096; }
http { access_log off; upstream tasks { ${addresses.map((address) => `server ${address}:8080;`).join(' ')} keepalive 64; }
  server { listen 127.0.0.1:${peerPort} reuseport; location / { proxy_pass http://tasks; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Port $server_port; } } }
`);
    peer = new Peer('nginx', ['-c', path.join(directory, 'nginx.conf'), '-p', directory, '-e', '/dev/null']);
  }
  try {
    if (peer) await until('nginx answers', async () => (await fetch(`http://127.0.0.1:${peerPort}/`)).ok, 20);
    const rounds = { ours: [], theirs: [] };
    for (let round = 0; round < 3; round += 1) { // in turns, so that both meet the same machine
      rounds.ours.push(await wrk({ url: `http://127.0.0.1:${port}/`, connections: 64, seconds: 5 }));
      if (peer) rounds.theirs.push(await wrk({ url: `http://127.0.0.1:${peerPort}/`, connections: 64, seconds: 5 }));
    }
    const middle = (list, key) => list.length ? list.map((one) => one[key]).sort((a, b) => a - b)[1] : undefined;
    const errors = rounds.ours.reduce((sum, one) => sum + one.errors, 0);
    if (errors) throw new Error(`${errors} requests failed`);
    report.add('through the load balancer, 64 connections', 'requests/s', middle(rounds.ours, 'rate'), { name: 'nginx', value: middle(rounds.theirs, 'rate') }, { atLeast: 1 });
    report.add('p99', 'ms', middle(rounds.ours, 'p99'), { name: 'nginx', value: middle(rounds.theirs, 'p99') }, { atMost: 1 });
  } finally {
    await peer?.stop();
  }
} finally {
  await sampan.stop();
  rmSync(directory, { recursive: true, force: true });
}
report.write();
