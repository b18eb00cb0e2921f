import type { GivenFile } from './shares.js';

/** More are no job folder. */
const MOST = 5_000;

/** All files of what was dropped, folders with all below them. What is dropped is only there until this is first waited for. */
export async function filesOfDrop(transfer: DataTransfer): Promise<readonly GivenFile[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found: GivenFile[] = [];
  const walk = async (entry: FileSystemEntry, prefix: string): Promise<void> => {
    if (found.length >= MOST) return;
    const path = `${prefix}${entry.name}`;
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      found.push({ path, file });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    const next = (): Promise<FileSystemEntry[]> => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    // A reader gives a hundred at a time, and none when it is done.
    for (let some = await next(); some.length > 0; some = await next()) for (const each of some) await walk(each, `${path}/`);
  };
  for (const entry of entries) await walk(entry, '');
  return found;
}

export const filesOfInput = (files: FileList): readonly GivenFile[] =>
  [...files].slice(0, MOST).map((file) => ({ path: file.webkitRelativePath || file.name, file }));
