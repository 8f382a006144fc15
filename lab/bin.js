#!/usr/bin/env node
// Plain JavaScript that an old Node understands: it hands over to the Node that the package brings along, when the
// machine's own can't run the lab's TypeScript.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

if (Number(process.versions.node.split('.')[0]) >= 24) {
  // Before the first TypeScript is loaded: with a cache Node needs not even load what strips the types.
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/lab', import.meta.url)));
  await import('./main.ts');
} else {
  const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(node)) {
    process.stderr.write(`lab: needs Node 24 (this is ${process.version}). Run \`npm ci\`, which brings it along.\n`);
    process.exit(3);
  }
  // The channel tells the child when we are killed: it then stops what it started.
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // Ctrl-C reaches the child by itself; we only have to outlive it. The others come to us alone.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (status, signal) => process.exit(status ?? 128 + (constants.signals[signal] ?? 0)));
}
