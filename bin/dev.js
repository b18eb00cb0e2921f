#!/usr/bin/env node
// Builds when sources changed, then runs: for working on dt itself.
import('../scripts/build.mjs').then(({ buildIfStale }) => buildIfStale()).then(() => require('./run.js'));
