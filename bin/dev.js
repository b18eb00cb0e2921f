#!/usr/bin/env node
// Builds when sources changed, then runs: for working on dt itself.
import { buildIfStale } from '../scripts/build.mjs';

await buildIfStale();
await import('./run.js');
