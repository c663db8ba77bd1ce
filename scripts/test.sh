#!/bin/sh
# `npm test`: sets up what is missing, runs the checks, then every test in one `node --test` run, whose summary stands
# last. Arguments are passed on to node: `npm test -- --test-name-pattern=resume`. Fails without nats-server or the
# TensorFlow engine: nothing is skipped because a part of set-up was not there. Chromium is none of them.
set -eu
cd "$(dirname -- "$0")/.."

node scripts/setup.mjs
# Tests that need a part of set-up fail when it is missing, as in CI.
CI=${CI:-true}
export CI

status=0
if ! node scripts/check.mjs; then
  echo 'npm test: the checks above failed; the tests run all the same, and npm test ends with status 1' >&2
  status=1
fi

# Two at a time: most of a TensorFlow test is one busy thread. A wait that never comes true ends its file after 20 minutes,
# in milliseconds, well before CI's own limit and with a name; the longest takes 4 where the machine is its own.
# shellcheck disable=SC2046 # The names of test files have no spaces.
node --import tsx --test --test-concurrency=2 --test-timeout=1200000 --test-reporter=spec "$@" \
  $(find proto services test scripts -name node_modules -prune -o -name '*.test.ts' -print | sort) || status=1
exit "$status"
