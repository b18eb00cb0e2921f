/** How an argument of a custom error is shown. */
export type ArgumentKind = 'token' | 'counter' | 'address' | 'role' | 'time' | 'expiry' | 'text' | 'number';

export interface RevertRow {
  /** In the order of the ABI. */
  readonly kinds: readonly ArgumentKind[];
  /** What to do next; {name} is the argument of that name in the ABI. */
  readonly advice: string;
}

const row = (advice: string, ...kinds: ArgumentKind[]): RevertRow => ({ advice, kinds });

/** The one table of what the contracts refuse. A test proves that it names every custom error of the ABIs, and no other. */
export const revertTable: Readonly<Record<string, RevertRow>> = {
  // access
  AccessControlUnauthorizedAccount: row(
    "Sign with the {neededRole}'s key (`--key …`), or ask the system administrator: `dt system org --address {account}` gives roles.",
    'address',
    'role',
  ),
  AccessControlBadConfirmation: row('Name your own address to give back a role.'),
  OrganizationUnknown: row('The system administrator registers it: `dt system org --address {organization} --name …`.', 'address'),
  OrganizationAddressZero: row('Give the address of the organization.'),
  OrganizationNameEmpty: row('Give a name: `dt system org --address {organization} --name …`.', 'address'),
  OrganizationTextTooLong: row('Shorten it to {limit} bytes.', 'number', 'number'),
  CodeStorageNotCreated: row('Use shorter texts, or send the transaction with more gas.', 'number'),

  // operators
  OperatorExists: row(
    'It was published before with this salt; use `--salt` for another, or `dt system op --attr-file … --update` for a new version.',
    'token',
  ),
  OperatorAlreadyRetired: row('Publish a successor under a new salt.', 'token'),
  OperatorDigestZero: row('Give the digest of the operator document.', 'token'),

  // tokens and grants
  TokenExists: row('It was minted before with this salt; use `--salt` for a second token with the same content.', 'token'),
  TokenDigestZero: row('Give the digest of the DDO.', 'token'),
  TokenIsLeaf: row('Name a composite; this token is a leaf.', 'token'),
  TokenIsComposite: row('Name a leaf; this token is a composite.', 'token'),
  TokenChildRepeated: row('Name each child once.', 'token'),
  TokenChildrenTooMany: row('Compose at most {limit} tokens, and compose the composites.', 'number', 'number'),
  TokenNotChild: row('Check both ids with `dt asset show`: the composite was not made of this token.', 'token', 'token'),
  TokenNotActivated: row('Its owner activates it: `dt asset activate --cdt {token}`.', 'token'),
  TokenGrantNotLive: row('Ask the owner of {child}: `dt asset grant --dt {child} --cdt {composite}`.', 'token', 'token', 'expiry'),
  TokenGrantExpiryPast: row('Choose an expiry in the future, or none.', 'time', 'time'),
  TokenTreeTooLarge: row('Use an algorithm over at most {limit} tokens.', 'token', 'number'),
  TokenTreeTooDeep: row('Use an algorithm with at most {limit} levels.', 'token', 'number'),

  // tasks and jobs
  TaskUnknown: row('Open a task with `dt job init`.', 'counter'),
  TaskNotOpen: row('Open a new task with `dt job init`.', 'counter'),
  TaskIncorrectDemander: row(
    'Use the key of {demander}, who opened the task, or open one with `dt job init`.',
    'address',
    'counter',
    'address',
  ),
  TaskTextTooLong: row('Shorten name and description to {limit} bytes.', 'number', 'number'),
  JobUnknown: row('Run `dt job list` to see the jobs of this chain.', 'counter'),

  // receipts
  ReceiptsRootZero: row('Give the Merkle root of the receipts.'),
  ReceiptsCountTooSmall: row('Count all receipts below the root, the reported ones too.', 'number', 'number'),
  ReceiptsAlreadyAnchored: row('Nothing to do: these receipts are on chain.', 'text', 'time'),
  JobPathIncorrect: row('Start at the algorithm of the job, {algorithm}.', 'counter', 'token'),
  JobIncorrectReporter: row('Only {owner}, the owner of the leaf, reports its share.', 'address', 'counter', 'token', 'address'),
  JobAlreadySucceeded: row('Nothing to do: a success is final.', 'counter', 'token'),
  JobReportEmpty: row('Give the state and the digest of the receipt.', 'counter', 'token'),

  // ERC-721
  ERC721NonexistentToken: row('Run `dt asset list` to see the tokens, and check that you use the right chain.', 'token'),
  ERC721IncorrectOwner: row('Use the key of {owner}, who owns {tokenId}.', 'address', 'token', 'address'),
  ERC721InsufficientApproval: row('Use the key of the owner of {tokenId}.', 'address', 'token'),
  ERC721InvalidOwner: row('Give an address that is not zero.', 'address'),
  ERC721InvalidOperator: row('Give an address that is not zero.', 'address'),
  ERC721InvalidApprover: row('Use the key of the owner.', 'address'),
  ERC721InvalidReceiver: row('Send to an address that can hold ERC-721 tokens.', 'address'),
  ERC721InvalidSender: row('Use the key of the owner.', 'address'),

  // Strings of OpenZeppelin, which the ABI lists; the contracts cannot reach it
  StringsInsufficientHexLength: row('Please report this with the command and its output.', 'number', 'number'),
};
