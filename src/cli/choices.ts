import type { ReaderContext } from '../actions/action-context.js';
import { type AssetListing, listAssets } from '../actions/asset/list-assets.js';
import { listTasks } from '../actions/job/list-tasks.js';
import { listOperators } from '../actions/system/list-operators.js';
import { isAlgorithm } from '../documents/ddo/ddo.js';
import type { Address } from '../documents/ids.js';
import type { Choice } from './base-command.js';
import { printable, shortId } from './render-text.js';

/** A longer list is no help; then any text may be typed. */
const FEW = 30;

const few = (choices: readonly Choice[]): readonly Choice[] => (choices.length <= FEW ? choices : []);

/** Tokens to choose from, the newest first. */
export async function tokenChoices(
  context: ReaderContext,
  fits: (asset: AssetListing) => boolean = () => true,
): Promise<readonly Choice[]> {
  const assets = (await listAssets(context)).filter(fits).reverse();
  return few(
    assets.map(({ id, ddo, owner, ownerName }) => ({
      name: `${printable(ddo?.metadata.main.name ?? '?')} of ${printable(ownerName ?? owner)}  ${shortId(id)}`,
      value: id,
    })),
  );
}

export const isComposed = ({ children }: AssetListing): boolean => children.length > 0;
export const isRunnableBy =
  (owner: Address | undefined) =>
  ({ ddo, activated, owner: by }: AssetListing): boolean =>
    ddo !== undefined && isAlgorithm(ddo) && activated && (owner === undefined || owner === by);

/** Open tasks, the newest first. */
export async function taskChoices(context: ReaderContext, demander: Address | undefined): Promise<readonly Choice[]> {
  const tasks = (await listTasks(context, demander)).filter(({ open }) => open).reverse();
  return few(tasks.map(({ id, name }) => ({ name: `${id}  ${printable(name)}`, value: id.toString() })));
}

/** Operators that are not retired, the newest first. */
export async function operatorChoices(context: ReaderContext): Promise<readonly Choice[]> {
  const operators = (await listOperators(context)).filter(({ retired }) => !retired).reverse();
  return few(
    operators.map(({ id, document, version }) => ({
      name: `${printable(document?.metadata.main.name ?? '?')} version ${version}  ${shortId(id)}`,
      value: id,
    })),
  );
}
