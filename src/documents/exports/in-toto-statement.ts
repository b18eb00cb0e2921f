import { canonicalBytes, digestOf, type JsonObject } from '../canonical.js';
import type { Bytes32 } from '../ids.js';
import type { SignedReceipt } from '../receipt/receipt.js';

const BUILD_TYPE = 'https://compute-to-data.invalid/run/v2';

/**
 * A receipt as an in-toto Statement v1 with the SLSA Provenance v1 predicate: what left (the subject) was made by this run, of these documents.
 * The receipt itself lies in it as a byproduct, signed as it is (EIP-712), so that nothing has to be believed of this form.
 */
export function inTotoStatement(signed: SignedReceipt): JsonObject {
  const { receipt } = signed;
  const bytes = canonicalBytes(signed);
  const hex = (digest: Bytes32): string => digest.slice(2);
  const resource = (name: string, digest: Bytes32 | undefined): readonly JsonObject[] =>
    digest === undefined ? [] : [{ name, digest: { sha256: hex(digest) } }];
  const self: JsonObject = { name: 'receipt', digest: { sha256: hex(digestOf(signed)) } };
  const { job, algorithm, token, chain, operator, sandbox, exit, usage, outcome, failure, joint } = receipt;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    // What left; a statement needs a subject, and of a run of which nothing left it is its receipt.
    subject: receipt.outputs.length === 0 ? [self] : receipt.outputs.map(({ name, sha256 }) => ({ name, digest: { sha256: hex(sha256) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: { chain: { ...chain }, job, algorithm, token, consumer: receipt.consumer },
        internalParameters: {
          ...(sandbox && { sandbox: { level: sandbox.level, layers: [...sandbox.layers], limits: { ...sandbox.limits } } }),
        },
        resolvedDependencies: [
          ...resource('request', receipt.request),
          ...resource('job spec', receipt.spec),
          ...resource('decision', receipt.decision),
          ...resource(`urn:${token}`, receipt.ddo),
          ...(operator === undefined ? [] : resource(`urn:${operator.id}`, operator.digest)),
          ...(receipt.files ?? []).flatMap(({ name, sha256 }) => resource(name, sha256)),
        ],
      },
      runDetails: {
        builder: { id: `did:pkh:eip155:${chain.chainId}:${receipt.owner}`, version: { 'compute-to-data': receipt.software } },
        metadata: {
          invocationId: `urn:compute-to-data:${chain.chainId}:${chain.market}:job:${job}:${token}`,
          ...(receipt.startedAt !== undefined && { startedOn: receipt.startedAt }),
          finishedOn: receipt.finishedAt,
        },
        byproducts: [
          { ...self, mediaType: 'application/json', content: Buffer.from(bytes).toString('base64') },
          ...resource('log', receipt.log?.sha256),
          {
            name: 'outcome',
            content: Buffer.from(
              canonicalBytes({
                outcome,
                ...(failure && { failure }),
                ...(exit && { exit }),
                ...(usage && { usage }),
                ...(joint && { execution: joint.execution }),
              }),
            ).toString('base64'),
            mediaType: 'application/json',
          },
        ],
      },
    },
  };
}
