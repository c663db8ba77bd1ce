import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyedStream } from '@thaw/common/random/stream.ts';
import fc from 'fast-check';
import { type NetworkOptions, runNetwork } from '../../../../test/support/exchange-network.ts';
