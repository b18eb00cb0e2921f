import { Router } from 'express';
import type { GivenEvidence } from '../../catalog/verify/given-evidence.js';
import { documentsOf, givenOfFile } from '../../catalog/verify/given-file.js';
import { verifyEvidence } from '../../catalog/verify-evidence.js';
import { type Bytes32, parseCounter } from '../../documents/ids.js';
import { evidenceNames } from '../../documents/receipt/evidence.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';
import { authenticate, EXACT, requireOwner } from '../middleware/authenticate.js';
import { anchorOf, evidenceOf } from '../pipeline/evidence-folder.js';
import { mayRead } from '../web/may-read.js';
import { verifyPlaces } from '../web/places.js';
import { type Access, accessOfResponse } from '../web/prove-access.js';

/** What the page read of dropped files: documents in base 64, of everything else the digests. */
interface Share {
  readonly source: string;
  /** A receipt or an evidence file by itself. */
  readonly file?: string;
  readonly documents?: Readonly<Record<string, string>>;
  readonly folder?: {
    readonly kind: 'job' | 'outputs';
    readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly sha256: string }[];
    readonly others: readonly string[];
  };
}

/** Verifies what is handed in, or the shares of a job that ran here, against the chain. Nothing of it is kept. */
export function verifyRoutes(deps: DaemonDeps): Router {
  const router = Router(EXACT);
  const places = verifyPlaces();
  router.post('/v1/verify', authenticate(deps), async (request, response) => {
    requireOwner(deps, request, response);
    const { job, shares, isWholeJob } = request.body as { job?: string; shares?: readonly Share[]; isWholeJob?: boolean };
    const leave = places.take(response);
    try {
      const given = job === undefined ? (shares ?? []).map(givenOf) : await ownShares(deps, accessOfResponse(response), job);
      const against = { ledger: deps.ledger, content: deps.content, isWholeJob: job === undefined && isWholeJob === true };
      response.json(await verifyEvidence(given, against));
    } finally {
      leave();
    }
  });
  return router;
}

function givenOf({ source, file, documents, folder }: Share): GivenEvidence {
  const bytes = (text: string): Uint8Array => Buffer.from(text, 'base64');
  if (file !== undefined) return givenOfFile(source, bytes(file));
  const known = evidenceNames.flatMap((name) => {
    const text = documents?.[name];
    return text === undefined ? [] : [[name, bytes(text)] as const];
  });
  return {
    source,
    documents: Object.fromEntries(known),
    ...(folder && {
      folder: {
        kind: folder.kind,
        files: new Map(folder.files.map(({ name, sizeBytes, sha256 }) => [name, { sizeBytes, sha256: sha256 as Bytes32 }])),
        others: folder.others,
      },
    }),
  };
}

/** What this daemon itself would hand out about a job. @throws DT_JOB_UNKNOWN when nothing of it that may be seen ran here */
async function ownShares(deps: DaemonDeps, access: Access | undefined, job: string): Promise<readonly GivenEvidence[]> {
  const runs = await mayRead(deps.ledger, access, await deps.store.runs.list({ jobId: parseCounter(job, 'The job id') }));
  if (runs.length === 0) throw new ToolkitError('DT_JOB_UNKNOWN', { id: job });
  return Promise.all(
    runs.map(async (run): Promise<GivenEvidence> => {
      const { token, receiptDigest, state } = run;
      const of = { token, owner: deps.organization };
      const evidence = receiptDigest && (await evidenceOf(deps, receiptDigest, anchorOf(run)));
      if (evidence === undefined) return { source: 'this daemon', of, documents: {}, problem: `its run is ${state} and has no receipt` };
      return { source: 'this daemon', of, documents: documentsOf(evidence) };
    }),
  );
}
