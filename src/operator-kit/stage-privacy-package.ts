import { existsSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ToolkitError } from '../errors/toolkit-error.js';

/**
 * Puts the package into `<operatorFolder>/node_modules/compute-to-data`, so that `import … from 'compute-to-data/privacy'` resolves for the
 * operator and nothing else of this program does. @throws DT_INPUT_FILE when it is not built
 */
export async function stagePrivacyPackage(operatorFolder: string): Promise<void> {
  const source = privacyPackage();
  const target = join(operatorFolder, 'node_modules', 'compute-to-data');
  await mkdir(target, { recursive: true });
  await Promise.all(['package.json', 'privacy.js'].map((name) => copyFile(join(source, name), join(target, name))));
}

/** Beside the built program, or in dist/ of a working copy. */
function privacyPackage(): string {
  const folders = ['./privacy/', '../../dist/privacy/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = folders.find((folder) => existsSync(join(folder, 'package.json')));
  if (found !== undefined) return found;
  const reason = 'the package for joint operators is not built; run `npm run build` in the folder of this program';
  throw new ToolkitError('DT_INPUT_FILE', { path: folders[1], reason });
}
