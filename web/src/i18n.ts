import { useApp } from './app.js';
import type { Same, Words } from './words.js';

export const words = <T extends Record<string, unknown>>(en: T, zh: Same<T>): Words<T> => ({ en, zh });

export function useWords<T>(dictionary: Words<T>): Same<T> {
  const { language } = useApp();
  return dictionary[language.value] as Same<T>;
}
