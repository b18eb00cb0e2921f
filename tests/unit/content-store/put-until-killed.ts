import { FilesystemStore } from '../../../src/content-store/filesystem-store.js';

/** Stores one document after the other, several at once, and reports each digest after put() has returned. */
const [folder = '', round = ''] = process.argv.slice(2);
const store = new FilesystemStore(folder);
const work = async (worker: number): Promise<void> => {
  for (let n = 0; ; n++) process.send?.(await store.put(Buffer.from(`${round}/${worker}/${n} `.repeat(2_000))));
};
await Promise.all([0, 1, 2].map(work));
