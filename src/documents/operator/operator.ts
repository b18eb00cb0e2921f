import { ToolkitError } from '../../errors/toolkit-error.js';
import { digestOf, type Json, type JsonObject } from '../canonical.js';
import type { Address, Bytes32, TokenId } from '../ids.js';
import { checkProof, type Proof, proofSchema, withProof } from '../proof.js';
import { documentParser, patterns } from '../schema.js';

export const runtimes = ['node', 'python3'] as const;
export type OperatorRuntime = (typeof runtimes)[number];

/**
 * File name of the operator in the job folder, which decides how an interpreter reads it. Python looks for modules beside it first, so it
 * may not be called like one of the standard library: an operator.py would be what `import json` finds on its way.
 */
export const operatorFileNames: Readonly<Record<OperatorRuntime, string>> = { node: 'operator.mjs', python3: 'main.py' };

export interface OperatorMetadata extends JsonObject {
  readonly main: { readonly type: string; readonly name: string; readonly [key: string]: Json };
}

/** The file that a person writes; both paths start at the working directory. */
export interface OperatorAttributes {
  readonly metadata: OperatorMetadata;
  readonly operation: string;
  readonly params: string;
  /** Left out: told by the ending of `operation` (.mjs, .js: node; .py: python3). */
  readonly runtime?: OperatorRuntime;
  /** Left out: told by the code, see `isJointCode`. */
  readonly joint?: boolean;
}

/** The published document: the code itself, and the template of its parameters. */
export interface OperatorDocument {
  readonly tid: TokenId;
  readonly creator: Address;
  readonly metadata: OperatorMetadata;
  readonly runtime: OperatorRuntime;
  /** Parties compute together: `party_id` and `exec_endpoints` say who. Absent: each runs alone. */
  readonly joint?: true;
  /** Source text; exactly these bytes in UTF-8 run. */
  readonly operation: string;
  /** Keys that every use must give; `{}` any value, nested alike, `{"$match": schema}` where the operator knows better. */
  readonly params: JsonObject;
  readonly proof: Proof;
}

const metadata = {
  type: 'object',
  required: ['main'],
  properties: {
    main: {
      type: 'object',
      required: ['type', 'name'],
      properties: { type: { const: 'Operation' }, name: { type: 'string', minLength: 1, maxLength: 200 } },
    },
  },
} as const;

const parseAttributes = documentParser<OperatorAttributes>('operator attributes', {
  type: 'object',
  required: ['metadata', 'operation', 'params'],
  additionalProperties: false,
  properties: {
    metadata,
    operation: { type: 'string', minLength: 1 },
    params: { type: 'string', minLength: 1 },
    runtime: { enum: runtimes },
    joint: { type: 'boolean' },
  },
});

const parseDocument = documentParser<OperatorDocument>('operator', {
  type: 'object',
  required: ['tid', 'creator', 'metadata', 'runtime', 'operation', 'params', 'proof'],
  additionalProperties: false,
  properties: {
    tid: { type: 'string', pattern: patterns.tokenId },
    creator: { type: 'string', pattern: patterns.address },
    metadata,
    runtime: { enum: runtimes },
    joint: { const: true },
    operation: { type: 'string', minLength: 1 },
    params: { type: 'object' },
    proof: proofSchema,
  },
});

/** @throws DT_DOCUMENT_INVALID */
export const parseOperatorAttributes = (value: unknown): OperatorAttributes => parseAttributes(value);

/** @throws DT_DOCUMENT_INVALID */
export function parseOperator(value: unknown): OperatorDocument {
  const document = parseDocument(value);
  checkProof('operator', document);
  return document;
}

/** @throws DT_DOCUMENT_INVALID when neither the attributes nor the file name tell */
export function runtimeOf(attributes: OperatorAttributes): OperatorRuntime {
  if (attributes.runtime !== undefined) return attributes.runtime;
  if (/\.m?js$/.test(attributes.operation)) return 'node';
  if (attributes.operation.endsWith('.py')) return 'python3';
  const reason = 'its ending tells no runtime; use .mjs, .js or .py, or set `runtime`';
  throw new ToolkitError('DT_DOCUMENT_INVALID', { kind: 'operator attributes', pointer: '/operation', reason });
}

export interface OperatorContent {
  readonly metadata: OperatorMetadata;
  readonly runtime: OperatorRuntime;
  readonly joint?: boolean;
  readonly operation: string;
  readonly params: JsonObject;
}

/** What a joint operator's template has to ask for. */
export const jointKeys = ['party_id', 'exec_endpoints'] as const;

/** Whether code imports the kit for joint operators. */
export const importsKit = (operation: string): boolean => /from\s*['"]compute-to-data\/privacy['"]/.test(operation);

/** Code that imports the kit for joint operators, with a template that asks who computes where. */
export const isJointCode = (operation: string, params: JsonObject): boolean =>
  importsKit(operation) && jointKeys.every((key) => Object.hasOwn(params, key));

/** The salt of an operator's token id: what it is called and who else has the name, not its code, which new versions replace. */
export const saltOfOperator = (content: OperatorContent, extra = ''): Bytes32 => digestOf({ metadata: content.metadata, salt: extra });

/** @throws DT_DOCUMENT_INVALID when a joint operator's template does not ask who computes where */
export function buildOperator(content: OperatorContent, tid: TokenId, creator: Address, created: Date): OperatorDocument {
  const { metadata: meta, runtime, operation, params, joint = isJointCode(operation, params) } = content;
  const missing = jointKeys.find((key) => joint && !Object.hasOwn(params, key));
  if (missing !== undefined)
    throw new ToolkitError('DT_DOCUMENT_INVALID', {
      kind: 'operator',
      pointer: '/params',
      reason: `a joint operator needs the key ${missing}`,
    });
  return withProof({ tid, creator, metadata: meta, runtime, ...(joint && { joint }), operation, params }, created);
}
