import { describe, expect, it } from 'vitest';
import { checkNames } from '../../../src/catalog/verify/checks.js';
import { checkText } from '../../../web/src/pages/verify/check-text.js';

describe('the page Verify', () => {
  it.each(['en', 'zh'] as const)('has words for every check (%s)', (language) => {
    expect(Object.keys(checkText[language]).sort()).toEqual([...checkNames].sort());
  });
});
