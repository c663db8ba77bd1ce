import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Lookup, redirectTarget } from './redirect.ts';

const names: Readonly<Record<string, readonly string[]>> = {
  'models.example': ['93.184.216.34'],
  'cdn.example': ['2606:2800:220:1::1', '93.184.216.35'],
  'rebound.example': ['93.184.216.36', '10.0.0.7'],
  'minio.cluster': ['10.1.2.3'],
};
const lookup: Lookup = async (host) => names[host] ?? Promise.reject(new Error(`no address of ${host}`));

const outside = 'https://models.example/a/net.h5';

for (const [from, location, to] of [
  [outside, '/b/net.h5', 'https://models.example/b/net.h5'],
  [outside, 'https://cdn.example/x', 'https://cdn.example/x'],
  [outside, 'https://unknown.example/x', 'https://unknown.example/x'],
  ['http://models.example/', 'https://models.example/x', 'https://models.example/x'],
  ['http://minio.cluster/', 'http://127.0.0.1:9000/x', 'http://127.0.0.1:9000/x'],
  ['http://127.0.0.1:80/', 'http://127.0.0.1:81/x', 'http://127.0.0.1:81/x'],
] as const) {
  test(`${from} may lead to ${location}`, async () => {
    const found = await redirectTarget(new URL(from), location, lookup);
    assert.equal(found instanceof URL ? found.href : found.reason, to);
  });
}

const insideHosts = [
  '127.0.0.1',
  'localhost.:80',
  '0.0.0.0',
  '0x7f000001',
  '169.254.169.254',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[fd00::1]',
  'minio.cluster:9000',
  'rebound.example',
];

for (const [from, location, reason] of [
  [outside, 'file:///etc/passwd', /^its server leads to file:; expected http\(s\)/],
  [outside, 'data:text/plain,x', /leads to data:; expected/],
  [outside, 'http://cdn.example/x', /^its server leads to http; expected https all the way$/],
  [outside, 'https://me:secret@cdn.example/x', /^its server leads to a user or password; expected an address without/],
  [outside, 'https://', /an address that cannot be read/],
  ...insideHosts.map((host) => [outside, `https://${host}/x`, /, which is inside of this network; expected/] as const),
] as const) {
  test(`${from} may not lead to ${location}`, async () => {
    const found = await redirectTarget(new URL(from), location, async (host) =>
      host.startsWith('localhost') ? ['127.0.0.1'] : lookup(host),
    );
    assert.ok(!(found instanceof URL), String(found));
    assert.match(found.reason, reason);
    assert.equal(found.mayPass, false);
  });
}
