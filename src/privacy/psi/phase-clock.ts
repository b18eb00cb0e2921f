/** What a private set intersection spends its processor time on. */
export const psiPhases = ['digest', 'baseOt', 'extension', 'encoding', 'hashing', 'matching', 'elements'] as const;
export type PsiPhase = (typeof psiPhases)[number];

/** Adds up milliseconds by phase; the rest of a run is messages and waiting. Sections are synchronous, so they never overlap. */
export class PhaseClock {
  readonly ms: Record<PsiPhase, number> = { digest: 0, baseOt: 0, extension: 0, encoding: 0, hashing: 0, matching: 0, elements: 0 };

  run<Result>(phase: PsiPhase, body: () => Result): Result {
    const start = performance.now();
    const result = body();
    this.ms[phase] += performance.now() - start;
    return result;
  }
}
