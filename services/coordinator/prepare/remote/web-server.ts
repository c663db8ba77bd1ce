// Servers of the web, asked without a name or password.

import { type FileServer, isBusy } from './file-server.ts';

export const webServer: FileServer = {
  ifSame: 'if-range',
  remark: '',
  ask: (url, headers, signal) => fetch(url, { headers, signal }),
  async refusal({ status, statusText }) {
    return { reason: `its server says ${status} ${statusText}`.trim(), mayPass: isBusy(status) };
  },
};
