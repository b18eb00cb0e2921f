/** Strings stay strings, sentences with gaps stay functions of the same gaps; nothing may be missing in one of the languages. */
export type Same<T> = { readonly [K in keyof T]: T[K] extends string ? string : T[K] };
export interface Words<T> {
  readonly en: T;
  readonly zh: Same<T>;
}
