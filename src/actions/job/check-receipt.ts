import { canonicalBytes, digestOf } from '../../documents/canonical.js';
import { recoverReceiptSigner, type SignatureDomain } from '../../documents/job/typed-data.js';
import { digestOfReceipt, parseSignedReceipt, type SignedReceipt } from '../../documents/receipt/receipt.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { RunView } from '../../peers/daemon-client.js';
import type { Party } from './job-parties.js';

/**
 * The receipt of a share, signed by the owner that the chain names, about this very job and token, with the outputs that the daemon lists.
 * So a false daemon at the owner's URL cannot invent results. Whether its digest is on chain is the tracer's to see: anchoring comes later.
 * @throws DT_RECEIPT_MISMATCH with the first thing that does not fit, DT_DOCUMENT_INVALID, DT_PEER_*
 */
export async function checkReceipt(
  domain: SignatureDomain,
  party: Pick<Party, 'client' | 'token' | 'owner'>,
  run: RunView,
): Promise<SignedReceipt> {
  const signed = parseSignedReceipt(await party.client.receipt(run.id));
  const { receipt, signature } = signed;
  const expect = (pointer: string, holds: boolean): void => {
    if (!holds) throw new ToolkitError('DT_RECEIPT_MISMATCH', { id: run.id, pointer, owner: party.owner });
  };
  expect('/', digestOf(signed) === run.receipt);
  expect('/receipt/job', receipt.job === run.job);
  expect('/receipt/token', receipt.token === party.token);
  expect('/receipt/owner', receipt.owner === party.owner);
  expect('/receipt/chain', receipt.chain.chainId === domain.chainId && receipt.chain.market === domain.market);
  expect('/receipt/outputs', Buffer.compare(canonicalBytes(receipt.outputs), canonicalBytes(run.outputs)) === 0);
  const seal = { job: BigInt(receipt.job), dataToken: receipt.token, receipt: digestOfReceipt(receipt) };
  expect('/signature', recoverReceiptSigner(domain, seal, signature) === party.owner);
  return signed;
}
