// Where a server may lead a request to: another address of the web, never from https to http, and never from outside into
// the network that this machine stands in, where services answer whoever reaches them.

import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import type { Refusal } from './file-server.ts';

/** All addresses of a host. */
export type Lookup = (host: string) => Promise<readonly string[]>;

const byName: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/** The next address, or why it is none. `location`: as the answer of `from` says it. */
export async function redirectTarget(from: URL, location: string, addressesOf = byName): Promise<URL | Refusal> {
  if (!URL.canParse(location, from.href)) return refused('an address that cannot be read', 'http(s)://HOST/PATH');
  const to = new URL(location, from.href);
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return refused(`${to.protocol}`, 'http(s)://HOST/PATH');
  if (from.protocol === 'https:' && to.protocol === 'http:') return refused('http', 'https all the way');
  if (to.username !== '' || to.password !== '') return refused('a user or password', 'an address without them');
  if (to.host === from.host || !(await isInside(to, addressesOf)) || (await isInside(from, addressesOf))) return to;
  return refused(`${to.host}, which is inside of this network`, 'an address that everybody reaches');
}

const inside = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  inside.addSubnet(network, bits, 'ipv4');
}
for (const [network, bits] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  inside.addSubnet(network, bits, 'ipv6');
}

/** A name without an address is left to the request, which says so. */
async function isInside({ hostname }: URL, addressesOf: Lookup): Promise<boolean> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) !== 0 ? [host] : await addressesOf(host).catch(() => []);
  return addresses.some((address) => inside.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'));
}

function refused(found: string, expected: string): Refusal {
  return { reason: `its server leads to ${found}; expected ${expected}`, mayPass: false };
}
