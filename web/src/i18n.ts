import { useApp } from './app.js';

/** Strings stay strings, sentences with gaps stay functions of the same gaps; nothing may be missing in one of the languages. */
type Same<T> = { readonly [K in keyof T]: T[K] extends string ? string : T[K] };
export interface Words<T> {
  readonly en: T;
  readonly zh: Same<T>;
}

export const words = <T extends Record<string, unknown>>(en: T, zh: Same<T>): Words<T> => ({ en, zh });

export function useWords<T>(dictionary: Words<T>): Same<T> {
  const { language } = useApp();
  return dictionary[language.value] as Same<T>;
}
