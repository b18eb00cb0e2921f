import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConstraint } from '../../../src/constraints/constraint.js';
import { newEffort } from '../../../src/constraints/effort.js';
import { isObject, type Json } from '../../../src/documents/canonical.js';
import { parseOperatorAttributes, runtimeOf } from '../../../src/documents/operator/operator.js';

const repository = resolve(import.meta.dirname, '../../..');
const folder = join(repository, 'samples/op');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const names = readdirSync(folder);

describe('every operator', () => {
  it.each(names.filter((name) => name.endsWith('_attr.json')))('%s names a file and a template that exist', (name) => {
    const attributes = parseOperatorAttributes(JSON.parse(read(name)));
    expect(['node', 'python3']).toContain(runtimeOf(attributes));
    expect(attributes.operation).toMatch(/^\.\/samples\/op\//);
    expect(readFileSync(join(repository, attributes.operation), 'utf8').length).toBeGreaterThan(0);
    const template = JSON.parse(readFileSync(join(repository, attributes.params), 'utf8')) as Json;
    // Any value, or a schema where the owner of data is to say what it allows.
    for (const leaf of leaves(template))
      if (JSON.stringify(leaf) !== '{}') expect(readConstraint(leaf, newEffort())).toMatchObject({ kind: 'match' });
  });

  it('has an attribute file', () => {
    const described = names
      .filter((name) => name.endsWith('_attr.json'))
      .map((name) => (JSON.parse(read(name)) as { operation: string }).operation);
    const operators = names.filter((name) => /\.(mjs|py)$/.test(name)).map((name) => `./samples/op/${name}`);
    expect([...new Set(described)].sort()).toEqual(operators.sort());
  });

  it.each(names.filter((name) => name.endsWith('.mjs')))('%s is one file that needs nothing but Node and the kit', (name) => {
    const imported = [...read(name).matchAll(/^(?:import .*|\}) from '([^']+)';$/gm)].map(([, target = '']) => target);
    expect(imported.length).toBeGreaterThan(0);
    for (const target of imported) expect(isBuiltin(target) || target === 'compute-to-data/privacy').toBe(true);
    expect(read(name)).not.toMatch(/import\(|require\(|process\.env|fetch\(/);
  });

  it('the part that two operators share is the same text in both', () => {
    const kit = (name: string): string => {
      const text = read(name);
      const [start, end] = [text.indexOf('// ---- operator kit'), text.indexOf('// ---- end of the operator kit')];
      expect(Math.min(start, end)).toBeGreaterThan(0);
      return text.slice(start, end);
    };
    expect(kit('profile.mjs')).toBe(kit('scorecard.mjs'));
  });
});

function leaves(value: Json): Json[] {
  const inner = isObject(value) && !Object.hasOwn(value, '$match') ? Object.values(value) : [];
  return inner.length === 0 ? [value] : inner.flatMap(leaves);
}
