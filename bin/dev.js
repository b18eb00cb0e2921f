#!/usr/bin/env node
// Builds when sources changed, then runs: for working on dt itself.
import { build, isStale } from '../scripts/build.mjs';

if (await isStale()) await build();
await import('./run.js');
