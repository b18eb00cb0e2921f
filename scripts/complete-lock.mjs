// Adds to package-lock.json (of the folder given, or of the project) the optional packages of other platforms that the registry view of the
// machine which wrote it did not have. Without them `npm ci` refuses the lock file everywhere. They carry no digest, since nobody here has
// seen their bytes; on this project's own platform none of them is installed. Run it after every change of the lock file.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(process.argv[2] ?? '.', 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
let added = 0;
for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  if (path === '') continue;
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] !== undefined || lock.packages[`${path}/${key}`] !== undefined) continue;
    const os = /android|darwin|linux|win32/.exec(name)?.[0];
    const cpu = /arm64/.test(name) ? 'arm64' : /x64|amd64/.test(name) ? 'x64' : undefined;
    if (os === undefined || cpu === undefined) throw new Error(`${name} is optional and missing, and its name tells no platform`);
    lock.packages[key] = {
      version,
      cpu: [cpu],
      ...(dev && { dev: true }),
      ...(name.includes('musl') && { libc: ['musl'] }),
      optional: true,
      os: [os],
    };
    added += 1;
  }
}
const sorted = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
console.log(`${added} optional packages of other platforms added to ${file}`);
