import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/documents/canonical.js';
import {
  buildDdo,
  isAlgorithm,
  isComposite,
  isLeaf,
  parseAssetAttributes,
  parseDdo,
  saltOfAsset,
  serviceOf,
} from '../../../src/documents/ddo/ddo.js';
import { withProof } from '../../../src/documents/proof.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import {
  address,
  algorithmAttributes,
  algorithmFile,
  changed,
  copy,
  created,
  leafAttributes,
  leafFile,
  reversed,
  tokenId,
} from './fixtures.js';

type Keys = readonly (string | number)[];

function refusal(work: () => unknown): ToolkitError {
  try {
    work();
  } catch (error) {
    if (error instanceof ToolkitError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
const at = (keys: Keys): string => keys.map((key) => `/${key}`).join('') || '/';
const descriptor: Keys = ['services', 0, 'descriptor'];
const workflow: Keys = [...descriptor, 'workflow'];
const child = tokenId(1);

describe('attribute files', () => {
  it('of the original shape are accepted as they are', () => {
    expect(parseAssetAttributes(copy(leafFile))).toEqual(leafFile);
    expect(parseAssetAttributes(copy(algorithmFile))).toEqual(algorithmFile);
    expect([isLeaf, isComposite, isAlgorithm].map((is) => is(buildDdo(leafAttributes(), tokenId(9), address(9), created)))).toEqual([
      true,
      false,
      false,
    ]);
    expect([isLeaf, isComposite, isAlgorithm].map((is) => is(buildDdo(algorithmAttributes(), tokenId(9), address(9), created)))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it.each<[string, Keys, unknown]>([
    ['no endpoint', ['services', 0, 'endpoint'], undefined],
    ['an empty endpoint', ['services', 0, 'endpoint'], ''],
    ['{} as endpoint', ['services', 0, 'endpoint'], {}],
    ['no attributes', ['services', 0, 'attributes'], undefined],
    ['no children', ['child_dts'], []],
    ['a version', [...descriptor, 'version'], 3],
    ['any version', [...descriptor, 'version'], 'any'],
    ['no parameters', [...descriptor, 'constraint'], {}],
    ['more metadata', ['metadata', 'additional'], { tags: ['a'] }],
    ['a name of 200 characters', ['metadata', 'main', 'name'], '😀'.repeat(200)],
  ])('may have %s', (_, keys, value) => {
    const file = changed(leafFile, keys, value);
    expect(parseAssetAttributes(file)).toEqual(file);
  });

  it.each<[string, object, Keys, unknown, string]>([
    ['no metadata', leafFile, ['metadata'], undefined, '/'],
    ['metadata without main', leafFile, ['metadata', 'main'], undefined, '/metadata'],
    ['no name', leafFile, ['metadata', 'main', 'name'], undefined, '/metadata/main'],
    ['an empty name', leafFile, ['metadata', 'main', 'name'], '', '/metadata/main/name'],
    ['a long name', leafFile, ['metadata', 'main', 'name'], 'x'.repeat(201), '/metadata/main/name'],
    ['a type that is no text', leafFile, ['metadata', 'main', 'type'], null, '/metadata/main/type'],
    ['no services', leafFile, ['services'], [], '/services'],
    ['services that are no list', leafFile, ['services'], {}, '/services'],
    [
      'too many services',
      leafFile,
      ['services'],
      Array.from({ length: 65 }, (_, i) => ({ ...leafFile.services[0], index: `s${i}` })),
      '/services',
    ],
    ['a key nobody knows', leafFile, ['proofs'], {}, '/'],
    ['the fields that publishing adds', leafFile, ['dt'], tokenId(1), '/'],
    ['a service without index', leafFile, ['services', 0, 'index'], undefined, '/services/0'],
    ['a service with an unknown key', leafFile, ['services', 0, 'price'], 1, '/services/0'],
    ['a number as endpoint', leafFile, ['services', 0, 'endpoint'], 8090, '/services/0/endpoint'],
    ['an endpoint with keys', leafFile, ['services', 0, 'endpoint'], { url: 'x' }, '/services/0/endpoint'],
    ['attributes as list', leafFile, ['services', 0, 'attributes'], [], '/services/0/attributes'],
    ['no descriptor', leafFile, descriptor, undefined, '/services/0'],
    ['an unknown key in the descriptor', leafFile, [...descriptor, 'operator'], 'x', at(descriptor)],
    ['no template', leafFile, [...descriptor, 'template'], undefined, at([...descriptor, 'template'])],
    ['a template in capitals', leafFile, [...descriptor, 'template'], tokenId(0xabc).toUpperCase(), at([...descriptor, 'template'])],
    ['a short template', leafFile, [...descriptor, 'template'], 'dt:ownership:abc', at([...descriptor, 'template'])],
    ['a template with a line end', leafFile, [...descriptor, 'template'], `${tokenId(0xabc)}\n`, at([...descriptor, 'template'])],
    ['version 0', leafFile, [...descriptor, 'version'], 0, at([...descriptor, 'version'])],
    ['version 1.5', leafFile, [...descriptor, 'version'], 1.5, at([...descriptor, 'version'])],
    ['version latest', leafFile, [...descriptor, 'version'], 'latest', at([...descriptor, 'version'])],
    ['no constraint', leafFile, [...descriptor, 'constraint'], undefined, at([...descriptor, 'constraint'])],
    ['null as constraint', leafFile, [...descriptor, 'constraint'], null, at([...descriptor, 'constraint'])],
    ['a list as constraint', leafFile, [...descriptor, 'constraint'], [], at([...descriptor, 'constraint'])],
    ['a text as constraint', leafFile, [...descriptor, 'constraint'], 'any', at([...descriptor, 'constraint'])],
    ['a workflow in a leaf', leafFile, workflow, copy(algorithmFile.services[0]?.descriptor.workflow), at(workflow)],
    ['children without workflow', leafFile, ['child_dts'], [child], at(descriptor)],
    ['a child twice', algorithmFile, ['child_dts'], [child, child], '/child_dts'],
    ['a child that is no id', algorithmFile, ['child_dts', 1], '0x12', '/child_dts/1'],
    ['a child that no service uses', algorithmFile, ['child_dts'], [child, tokenId(2), tokenId(3)], at(workflow)],
    ['a child that is not listed', algorithmFile, ['child_dts'], [child], `${at(workflow)}/${tokenId(2)}`],
    ['no children for a workflow', algorithmFile, ['child_dts'], undefined, '/child_dts'],
    ['an empty workflow', algorithmFile, workflow, {}, at(workflow)],
    ['no workflow', algorithmFile, workflow, undefined, at(workflow)],
    ['a workflow of no token', algorithmFile, [...workflow, 'x'], { service: 's', constraint: {} }, at(workflow)],
    ['a step without service', algorithmFile, [...workflow, child, 'service'], undefined, at([...workflow, child])],
    ['a step with a number as service', algorithmFile, [...workflow, child, 'service'], 0, at([...workflow, child, 'service'])],
    ['a step without constraint', algorithmFile, [...workflow, child, 'constraint'], undefined, at([...workflow, child])],
    ['a step with null as constraint', algorithmFile, [...workflow, child, 'constraint'], null, at([...workflow, child, 'constraint'])],
    ['a step with an unknown key', algorithmFile, [...workflow, child, 'endpoint'], '', at([...workflow, child])],
    ['a template in a composite', algorithmFile, [...descriptor, 'template'], tokenId(1), at(descriptor)],
    ['a constraint in a composite', algorithmFile, [...descriptor, 'constraint'], {}, at(descriptor)],
    ['a version in a composite', algorithmFile, [...descriptor, 'version'], 1, at(descriptor)],
    ['two services in an algorithm', algorithmFile, ['services', 1], { ...algorithmFile.services[0], index: 'other' }, '/services'],
    ['an algorithm of nothing', leafFile, ['metadata', 'main', 'type'], 'Algorithm', '/child_dts'],
  ])('may not have %s', (_, file, keys, value, where) => {
    const error = refusal(() => parseAssetAttributes(changed(file, keys, value)));
    expect(error.code).toBe('DT_DOCUMENT_INVALID');
    expect(error.details['pointer']).toBe(where);
    expect(error.message).not.toMatch(/\{\w+\}/);
  });

  it('may not give one index to two services', () => {
    const twice = changed(leafFile, ['services', 1], leafFile.services[0]);
    expect(refusal(() => parseAssetAttributes(twice)).details['pointer']).toBe('/services/1/index');
  });

  it.each([[null], [undefined], [1], ['{}'], [[]], [() => 1]])('%s is no attribute file', (value) => {
    expect(refusal(() => parseAssetAttributes(value)).code).toBe('DT_DOCUMENT_INVALID');
  });

  it('find nothing in prototypes', () => {
    const inherited = Object.create(copy(leafFile)) as object;
    expect(() => saltOfAsset(parseAssetAttributes(inherited))).toThrow();
    const polluted = Object.prototype as Record<string, unknown>;
    polluted['workflow'] = {};
    try {
      expect(parseAssetAttributes(copy(leafFile)).services).toHaveLength(1);
    } catch (error) {
      // Refused is fine too; taken for a composite is not.
      expect(error).toBeInstanceOf(ToolkitError);
    } finally {
      delete polluted['workflow'];
    }
  });
});

describe('published documents', () => {
  const ddo = buildDdo(leafAttributes(), tokenId(7), address(3), created);

  it('come back as they were built, also through text', () => {
    for (const attributes of [leafAttributes(), algorithmAttributes()]) {
      const built = buildDdo(attributes, tokenId(7), address(3), created);
      expect(parseDdo(copy(built))).toEqual(built);
      expect(parseDdo(JSON.parse(JSON.stringify(built)))).toEqual(built);
      expect(parseDdo(reversed(built))).toEqual(built);
      expect(digestOf(parseDdo(reversed(built)))).toBe(digestOf(built));
      expect(built).toMatchObject({ dt: tokenId(7), creator: address(3), proof: { created: '2026-01-02T03:04:05.000Z' } });
    }
  });

  it('hold a checksum over all but the proof', () => {
    const { proof, ...body } = ddo;
    expect(proof.checksum).toBe(digestOf(body));
    expect(withProof(body, created)).toEqual(ddo);
  });

  it.each<[string, Keys, unknown]>([
    ['another token', ['dt'], tokenId(8)],
    ['another creator', ['creator'], address(4)],
    ['another name', ['metadata', 'main', 'name'], 'features 0-31'],
    ['more metadata', ['metadata', 'more'], 1],
    ['another endpoint', ['services', 0, 'endpoint'], '127.0.0.1:8091'],
    ['another constraint', [...descriptor, 'constraint', 'party_id'], false],
    ['a null for an any', [...descriptor, 'constraint', 'outputs'], null],
    ['another price', ['services', 0, 'attributes', 'price'], 11],
    ['a version', [...descriptor, 'version'], 'any'],
    ['an empty list of children', ['child_dts'], []],
    ['another checksum', ['proof', 'checksum'], digestOf(1)],
  ])('with %s are refused by the checksum', (_, keys, value) => {
    const error = refusal(() => parseDdo(changed(ddo, keys, value)));
    expect([error.code, error.details['pointer']]).toEqual(['DT_DOCUMENT_INVALID', '/proof/checksum']);
  });

  it.each<[string, Keys, unknown, string]>([
    ['no proof', ['proof'], undefined, '/'],
    ['no checksum', ['proof', 'checksum'], undefined, '/proof'],
    ['a checksum in capitals', ['proof', 'checksum'], ddo.proof.checksum.toUpperCase(), '/proof/checksum'],
    ['more in the proof', ['proof', 'signature'], '0x', '/proof'],
    ['a token that is no id', ['dt'], '7', '/dt'],
    ['a creator with capitals', ['creator'], '0xAbcdefabcdefabcdefabcdefabcdefabcdefabcd', '/creator'],
    ['an unknown key', ['salt'], '', '/'],
    ['a leaf that is called algorithm', ['metadata', 'main', 'type'], 'Algorithm', '/child_dts'],
  ])('with %s are refused at its place', (_, keys, value, where) => {
    const error = refusal(() => parseDdo(changed(ddo, keys, value)));
    expect([error.code, error.details['pointer'], error.details['kind']]).toEqual(['DT_DOCUMENT_INVALID', where, 'DDO']);
  });

  it('with what JSON cannot carry are not built', () => {
    expect(
      refusal(() => buildDdo(changed(leafFile, ['metadata', 'main', 'name'], '\ud800') as never, tokenId(1), address(1), created)).code,
    ).toBe('DT_DOCUMENT_INVALID');
  });

  it('of 10,000 keys in a constraint are handled at once', () => {
    const constraint = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, 0]));
    const wide = changed(leafFile, [...descriptor, 'constraint'], constraint);
    expect(parseAssetAttributes(wide)).toEqual(wide);
    const workflowOf = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [tokenId(i), { service: 's', constraint: {} }]));
    expect(refusal(() => parseAssetAttributes(changed(algorithmFile, workflow, workflowOf))).details['pointer']).toBe(at(workflow));
  });
});

describe('the salt of an asset', () => {
  const salt = (file: object, extra?: string): string => saltOfAsset(parseAssetAttributes(copy(file)), extra);

  it('does not depend on the order of keys', () => {
    expect(salt(reversed(leafFile))).toBe(salt(leafFile));
    expect(salt(reversed(algorithmFile))).toBe(salt(algorithmFile));
  });

  it('does not depend on how emptiness is spelled', () => {
    const bare = changed(
      changed(changed(leafFile, ['services', 0, 'endpoint'], undefined), ['services', 0, 'attributes'], undefined),
      ['child_dts'],
      undefined,
    );
    const full = changed(changed(changed(leafFile, ['services', 0, 'endpoint'], {}), ['services', 0, 'attributes'], {}), ['child_dts'], []);
    const text = changed(bare, ['services', 0, 'endpoint'], '');
    expect(new Set([bare, full, text].map((file) => salt(file))).size).toBe(1);
    expect(salt(bare)).not.toBe(salt(leafFile));
  });

  it('survives publishing: the document gives the salt of its file', () => {
    const { metadata, services } = parseDdo(buildDdo(leafAttributes(), tokenId(7), address(3), created));
    expect(saltOfAsset({ metadata, services })).toBe(salt(leafFile));
  });

  it('tells every change and every copy apart', () => {
    const files: readonly object[] = [
      leafFile,
      changed(leafFile, ['metadata', 'main', 'name'], 'x'),
      changed(leafFile, ['services', 0, 'index'], 'x'),
      changed(leafFile, [...descriptor, 'constraint', 'party_id'], {}),
      changed(leafFile, [...descriptor, 'constraint', 'party_id'], null),
      changed(leafFile, [...descriptor, 'constraint', 'party_id'], '0'),
      changed(leafFile, [...descriptor, 'version'], 1),
      changed(leafFile, [...descriptor, 'version'], 'any'),
      changed(leafFile, ['services', 0, 'attributes', 'shape'], [30, 50000]),
      algorithmFile,
      changed(algorithmFile, ['child_dts'], [tokenId(2), tokenId(1)]),
    ];
    const salts = [...files.map((file) => salt(file)), salt(leafFile, '1'), salt(leafFile, '2')];
    expect(new Set(salts).size).toBe(salts.length);
  });
});

describe('serviceOf', () => {
  it('finds by index and names what there is', () => {
    const ddo = buildDdo(leafAttributes(), tokenId(7), address(3), created);
    expect(serviceOf(ddo, 'sid_for_org1')).toBe(ddo.services[0]);
    expect(refusal(() => serviceOf(ddo, 'toString')).message).toContain('no service toString, only sid_for_org1');
  });
});
