import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Gauge } from 'prom-client';
import { createRegistry, startMetricsServer } from './metrics-server.ts';

it('serves the registry and the health of the process on a port of its own', async () => {
  const registry = createRegistry();
  new Gauge({ name: 'thaw_test', help: 'A gauge.', registers: [registry] }).set(3);
  let reason: string | null = null;
  const server = await startMetricsServer({ registry, unhealthy: () => reason });
  try {
    const base = `http://127.0.0.1:${server.port}`;
    assert.match(await (await fetch(`${base}/metrics`)).text(), /^thaw_test 3$/m);
    assert.equal((await fetch(`${base}/healthz`)).status, 200);
    reason = 'the broker is gone';
    const unhealthy = await fetch(`${base}/healthz`);
    assert.deepEqual([unhealthy.status, await unhealthy.text()], [503, 'the broker is gone\n']);
    assert.equal((await fetch(`${base}/other`)).status, 404);
  } finally {
    await server.close();
  }
});

it('names every metric of its own with the prefix thaw_', async () => {
  const names = (await createRegistry().getMetricsAsJSON()).map(({ name }) => name);
  assert.ok(names.length > 10);
  assert.deepEqual(
    names.filter((name) => !name.startsWith('thaw_')),
    [],
  );
});
