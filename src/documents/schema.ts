import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { ToolkitError } from '../errors/toolkit-error.js';

/** Every command pays for the compilation. Our own schemas need no checking against the schema of schemas, which takes most of it. */
const fastToCompile = { meta: false, validateSchema: false, code: { optimize: false } } as const;

/** Compiles a schema of ours once; `parse` returns its input typed, or fails with the pointer of the first thing that is wrong. */
export function documentParser<T>(kind: string, schema: object): (value: unknown) => T {
  let validate: ValidateFunction<T> | undefined;
  return (value) => {
    validate ??= new Ajv2020({ ...fastToCompile, strict: true, allowUnionTypes: true, ownProperties: true }).compile<T>(schema);
    if (validate(value)) return value;
    const error = validate.errors?.[0];
    throw new ToolkitError('DT_DOCUMENT_INVALID', { kind, pointer: error?.instancePath || '/', reason: describe(error) });
  };
}

function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return 'it does not fit its schema';
  if (error.keyword === 'additionalProperties')
    return `it has a key ${JSON.stringify(error.params['additionalProperty'])} that is not known here`;
  if (error.keyword === 'required') return `the key ${JSON.stringify(error.params['missingProperty'])} is missing`;
  if (error.keyword === 'pattern') return 'it does not have the form that is asked for';
  return error.message ?? error.keyword;
}

export const patterns = {
  tokenId: '^dt:ownership:[0-9a-f]{64}$',
  bytes32: '^0x[0-9a-f]{64}$',
  address: '^0x[0-9a-f]{40}$',
} as const;
