// Servers of the web, asked without a name or password. Each step of a redirect is looked at before it is taken.

import { type FileServer, isBusy, type Refusal } from './file-server.ts';
import { redirectTarget } from './redirect.ts';

const redirectsMax = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

export const webServer: FileServer = {
  ifSame: 'if-range',
  remark: '',
  ask,
  async refusal({ status, statusText }) {
    return { reason: `its server says ${status} ${statusText}`.trim(), mayPass: isBusy(status) };
  },
};

async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response | Refusal> {
  let at = url;
  for (let taken = 0; taken <= redirectsMax; taken++) {
    const response = await fetch(at, { headers, signal, redirect: 'manual' });
    const location = response.headers.get('location');
    if (!redirects.has(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = await redirectTarget(at, location);
    if (!(next instanceof URL)) return next;
    at = next;
  }
  return { reason: `its server leads on ${redirectsMax} times; expected the file`, mayPass: false };
}
