// A small JSON backend: a page, a health path, and a graceful stop.
'use strict';
const http = require('node:http');
const os = require('node:os');

const started = Date.now();
let task = os.hostname();

// Which task this is, from the ECS metadata endpoint where there is one.
async function readTask() {
  const uri = process.env.ECS_CONTAINER_METADATA_URI_V4;
  if (!uri) return;
  try {
    const answer = await fetch(`${uri}/task`, { signal: AbortSignal.timeout(2000) });
    task = (await answer.json()).TaskARN.split('/').pop();
  } catch (error) {
    console.log(JSON.stringify({ task, event: 'no metadata', reason: error.message }));
  }
}

function answer(response, status, type, text) {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

const server = http.createServer((request, response) => {
  const path = new URL(request.url, 'http://localhost').pathname;
  if (path === '/health') {
    answer(response, 200, 'application/json', JSON.stringify({ status: 'ok' }));
  } else if (path === '/') {
    answer(response, 200, 'text/html; charset=utf-8',
      `<!doctype html><title>hello-node</title><h1>Hello from Node.js</h1>` +
      `<p>Answered by task <code>${task}</code></p>`);
  } else if (path === '/api/hello') {
    answer(response, 200, 'application/json', JSON.stringify({
      message: process.env.GREETING ?? 'Hello',
      backend: 'node',
      task,
      uptime_seconds: (Date.now() - started) / 1000,
    }));
  } else {
    answer(response, 404, 'application/json', JSON.stringify({ error: 'not found', path }));
  }
});

// Longer than the load balancer's idle time, so that it never sends into a connection just closed here.
server.keepAliveTimeout = 75_000;

process.on('SIGTERM', () => {
  console.log(JSON.stringify({ task, event: 'stopping' }));
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

const port = Number(process.env.PORT ?? 8080);
readTask().then(() => server.listen(port, () => {
  console.log(JSON.stringify({ task, event: 'listening', port }));
}));
