export interface ErrorEntry {
  /** What happened, to what; {name} is filled from the details. */
  readonly message: string;
  /** What to do next, a command where there is one. */
  readonly hint: string;
  readonly exit: number;
  readonly http: number;
  /** The same call may succeed later with nothing changed. */
  readonly retryable: boolean;
}

const row = (message: string, hint: string, exit: number, http: number, retryable = false): ErrorEntry => ({
  message,
  hint,
  exit,
  http,
  retryable,
});

/**
 * The one table of errors. docs/ERRORS.md is generated from it (node scripts/docs-errors.mjs) and a test proves that both agree.
 * Exit codes by area: 1 bug, 2 input and configuration, 3 asset and document, 4 authentication, 5 policy, 6 chain, 7 peer and
 * protocol, 8 sandbox and job, 9 receipt.
 */
export const errorTable = {
  DT_BUG_UNEXPECTED: row('Something failed that should not: {reason}', 'Please report this with the command and its output.', 1, 500),

  DT_INPUT_INVALID: row('{what} is not valid: {reason}', 'Correct it and run the command again.', 2, 400),
  DT_INPUT_MISSING: row('{what} is missing.', 'Give it as a flag, or run on a terminal to be asked for it.', 2, 400),
  DT_INPUT_COMMAND: row('There is no command `dt {typed}`.', '{advice}', 2, 400),
  DT_INPUT_ARGUMENT: row('`dt {command}` takes flags only.', '{advice}', 2, 400),
  DT_INPUT_FILE: row('Cannot read {path}: {reason}', 'Check the path; relative paths start at the current directory.', 2, 400),
  DT_INPUT_OTHER_JOB: row('{path} holds what job {job} released.', 'Give each job a folder of its own.', 2, 400),
  DT_INPUT_COLUMN: row(
    'Column {column} cannot be used: {reason}',
    'Correct the data or leave the column out; no value was sent to anyone.',
    2,
    422,
  ),
  DT_INPUT_JSON: row('{what} is not valid JSON: {reason}', 'Check the file with a JSON validator.', 2, 400),
  DT_INPUT_TOO_LARGE: row(
    '{what} has {actual}, more than the limit of {limit}.',
    'Make it smaller, or ask the owner of the daemon to raise the limit.',
    2,
    413,
  ),
  DT_CONFIG_INVALID: row(
    'Configuration {path}, key {key}: {reason}',
    'Correct the key; `dt daemon init` writes a commented example.',
    2,
    500,
  ),
  DT_CONFIG_EXISTS: row(
    'There is a configuration at {path} already; it was not changed.',
    'Use it: `dt daemon run --config {path}`; or replace it: `dt daemon init --config {path} --force`.',
    2,
    409,
  ),
  DT_CONFIG_MISSING: row('No configuration at {path}.', 'Run `dt daemon init --config {path}` first.', 2, 500),
  DT_STORE_URL: row('The store URL {url} is not usable: {reason}', 'Use sqlite:/absolute/path.db or postgres://host/database.', 2, 500),
  DT_STORE_UNREACHABLE: row(
    'The state store {url} cannot be opened: {reason}',
    'Check `store.url` in the configuration, the folder and its permissions, or that the database server runs.',
    2,
    503,
    true,
  ),
  DT_STORE_IN_USE: row(
    'Another daemon uses the state store {url}.',
    'Stop it first, or give this daemon a store of its own: `store.url`.',
    2,
    503,
  ),
  DT_STORE_VERSION: row(
    'The state store was written by a newer version: it has migration {found}, this program knows {known}.',
    'Install the newer version again; a store is never downgraded.',
    2,
    500,
  ),
  DT_STORE_FAILED: row(
    'The state store failed: {reason}',
    'Check the free disk space, or that the database server runs; then try again.',
    2,
    503,
    true,
  ),
  DT_CONFIG_NO_ADDRESS_BOOK: row(
    'No address book of the contracts at {path}.',
    'Is it the right folder (DT_HOME, --home)? If so, run `dt chain start` or `dt chain deploy`, or give the file of your chain with --address-book.',
    2,
    500,
  ),
  DT_KEY_UNKNOWN: row(
    'There is no key named {name} in {folder}.',
    'Run `dt key list`, or `dt key create --name {name}`; DT_HOME or --home says which folder is meant.',
    2,
    400,
  ),
  DT_KEY_EXISTS: row('A key named {name} exists already.', 'Choose another name; keys are never overwritten.', 2, 409),
  DT_KEY_WRONG_PASSWORD: row(
    'The password does not open key {name}.',
    'Correct DT_PASSWORD; without it, you are asked on a terminal.',
    2,
    400,
  ),
  DT_NAME_UNKNOWN: row(
    'No token or operator is called {name} on this machine; {where} names it.',
    'Names are given with `--as`; otherwise use the full dt:ownership:… id.',
    2,
    400,
  ),
  DT_PORT_BUSY: row(
    'Port {port} of {host} is in use.',
    'Stop the other program, or choose another port: `--port`, or `listen.port` and `link.listen.port` in the configuration of a daemon.',
    2,
    500,
  ),
  DT_DEMO_BUSY: row(
    'A demo runs already in {folder} ({holder}).',
    'Stop it, or give another folder: `dt demo --home <folder>`, `npm start -- --home <folder>`.',
    2,
    409,
  ),
  DT_DEMO_CHILD: row('`{command}` ended with {code} before it was ready: {reason}', 'Read its log: {log}', 2, 500),
  DT_DEMO_STEP: row(
    'The demo stopped: `{command}` ended with {code}.',
    'What failed stands above; logs of chain and daemons are in {home}.',
    2,
    500,
  ),
  DT_HTTP_BUSY: row('{limit} {what} at once are all that {who} can have here.', 'Let one of them end, then try again.', 2, 429, true),
  DT_HTTP_NOT_FOUND: row('There is nothing at {path}.', 'The API is described at /v1/openapi.json.', 2, 404),

  DT_ASSET_UNKNOWN: row(
    'No data token {id} on this chain.',
    'Run `dt asset list` to see the tokens, and check that you use the right chain.',
    3,
    404,
  ),
  DT_OPERATOR_UNKNOWN: row('No operator {id} on this chain.', 'Run `dt system ops` to see the published operators.', 3, 422),
  DT_OPERATOR_RETIRED: row('Operator {id} has been retired.', 'Ask the system administrator for its successor: `dt system ops`.', 3, 422),
  DT_OPERATOR_EXISTS: row(
    'Operator {id} exists already.',
    'Nothing was published; use `--salt` for a second token with the same content.',
    3,
    409,
  ),
  DT_ORG_UNKNOWN: row(
    '{address} is not a registered organization.',
    'The system administrator registers it: `dt system org --address {address} --name …`.',
    3,
    404,
  ),
  DT_DOCUMENT_INVALID: row(
    'The {kind} document is not valid at {pointer}: {reason}',
    'Correct the document; docs/API.md gives its fields.',
    3,
    422,
  ),
  DT_DOCUMENT_UNRESOLVED: row(
    'Document {cid} was not found in any content store.',
    'Its publisher can send it again: repeat the command that published it.',
    3,
    422,
    true,
  ),
  DT_DOCUMENT_TAMPERED: row(
    'Document {cid} from {source} has other bytes: its digest is {actual}.',
    'Do not trust {source}; the document was not used.',
    3,
    422,
  ),
  DT_DOCUMENT_SOURCE_FAILED: row(
    'The content source at {url} failed: {reason}',
    'Check that it runs and that its URL is right, or name another in the configuration.',
    3,
    502,
    true,
  ),
  DT_DATASET_UNKNOWN: row(
    'This daemon holds no data for {id}.',
    'The owner runs `dt asset dt --attr-file … --store-path <file>` again.',
    3,
    404,
  ),
  DT_DATASET_VANISHED: row(
    'The data of {id} is no longer where its owner put it.',
    'The owner restores the file, or runs `dt asset dt … --store-path <file>` again.',
    3,
    422,
  ),
  DT_DATASET_CHANGED: row(
    'The data of {id} is not what it was when it was published.',
    'The owner confirms the new content with `dt asset dt … --store-path <file>`.',
    3,
    422,
  ),
  DT_DATASET_FORMAT: row(
    '{name} is in no format that can be read here; those are {formats}.',
    'Convert it to CSV: UTF-8, with a header row.',
    3,
    422,
  ),
  DT_DATASET_INVALID: row(
    '{name} is not valid at line {line}: {reason}',
    'Correct the file; a CSV file follows RFC 4180, in UTF-8, with a header row.',
    3,
    422,
  ),
  DT_DATASET_FORBIDDEN: row(
    'The path is outside of the folders that this daemon may read.',
    'The owner adds the folder to `datasets.roots` in the configuration of the daemon.',
    3,
    403,
  ),

  DT_AUTH_MISSING: row('The request carries no proof of who asks.', 'Sign it: see docs/API.md, section Authentication.', 4, 401),
  DT_AUTH_SIGNATURE_INVALID: row(
    'The signature does not fit the request: {reason}',
    'Sign exactly the request that is sent, for this chain and this daemon.',
    4,
    401,
  ),
  DT_AUTH_EXPIRED: row('The request expired at {expiry}.', 'Check the clocks of both machines and send the request again.', 4, 401),
  DT_AUTH_TOO_FAR: row('The request is valid for {seconds} s, longer than the {limit} s allowed.', 'Choose an earlier expiry.', 4, 401),
  DT_AUTH_REPLAYED: row('This very request was used before.', 'Send it again with a fresh nonce; the command does that.', 4, 401),
  DT_AUTH_FORBIDDEN: row('{address} may not {action}.', 'Use the key of {required}.', 4, 403),
  DT_AUTH_SESSION: row(
    'The session, code or token is not good, or not any more.',
    'Sign in again: with the wallet of the organization, with a code from `dt daemon login`, or with a token that its owner makes.',
    4,
    401,
  ),
  DT_AUTH_ROLE: row(
    'The role {role} does not allow {action}.',
    'It is allowed to: {allowed}. The owner makes tokens in the settings.',
    4,
    403,
  ),
  DT_WEB_ORIGIN: row(
    'The page is not served under the name {host}.',
    'Open it at localhost, or add its address to `web.origins` in the configuration of the daemon.',
    4,
    403,
  ),
  DT_WEB_CROSS_SITE: row(
    'The request did not come from the page of this daemon.',
    'Use the page itself; programs sign their requests or bring a token: docs/API.md, section Authentication.',
    4,
    403,
  ),

  DT_POLICY_DENIED: row(
    'Conditions that are not met: {count}. {summary}',
    'Change it as each line says, or ask the owner; `dt asset check` shows every condition of a token.',
    5,
    403,
  ),
  DT_POLICY_BY_HAND: row(
    'All conditions hold, but the owner of {child} grants by hand.',
    'Ask it to run `dt asset grant --dt {child} --cdt {composite}`, then repeat the command.',
    5,
    403,
  ),
  DT_POLICY_OUTPUT: row(
    'Output {name} may not leave by the rule {pointer} of {id}: {reason}.',
    "Change the operator or its arguments so that what it writes fits the rule; `dt asset show --dt {id}` shows the owner's rules.",
    5,
    403,
  ),
  DT_POLICY_REFUSED: row(
    'The owner refused {what} of job {id}: {reason}',
    'Ask the owner. Its no to a request stands for the same code, arguments and data until it withdraws it (`dt asset approve {id}`), its no to outputs until it runs the job again itself.',
    5,
    403,
  ),
  DT_POLICY_NO_ANSWER: row(
    'The owner did not say by {deadline} whether {what} of job {id} may be.',
    'Ask the owner to answer in time, then add a new job.',
    5,
    403,
  ),
  DT_POLICY_NO_HOLD: row('Nothing of {id} waits for your word.', 'Run `dt asset holds` to see what does.', 5, 404),
  DT_POLICY_CHANGED: row(
    'What waits at {id} is not what this answer is about: {actual} instead of {subject}.',
    'Look at it again with `dt asset holds`, and answer to what it shows now.',
    5,
    409,
  ),
  DT_POLICY_FIXED_PARAMETER: row(
    'The request names {key}, which the asset already fixes.',
    'Leave it out: arguments come from the algorithm, not from the request.',
    5,
    403,
  ),

  DT_CHAIN_UNREACHABLE: row(
    'The chain at {url} does not answer: {reason}',
    'Check that it runs (`dt chain start`) and that --rpc is right.',
    6,
    502,
    true,
  ),
  DT_CHAIN_WRONG: row(
    '{url} is chain {actual}, the address book is of chain {expected}.',
    'Use the address book of this chain, or `dt chain deploy`.',
    6,
    502,
  ),
  DT_CHAIN_NOT_DEPLOYED: row(
    'There is no toolkit at {address} on chain {chain}.',
    'Run `dt chain deploy`, or use the address book of this chain.',
    6,
    502,
  ),
  DT_CHAIN_BOOK_OLD: row(
    'The address book is of an older version of the contracts: it has no {missing}.',
    'Move the file away and run `dt chain deploy` (or `dt chain start`) again: tokens and jobs of the old contracts stay with those.',
    6,
    502,
  ),
  DT_CHAIN_EVENTS: row(
    'The events of the chain do not fit together: {kind} in block {block}, but {reason}.',
    'The endpoint leaves something out. Use another one with --rpc, then `dt tracer index --rebuild`.',
    6,
    502,
  ),
  DT_CHAIN_REVERTED: row('The chain refused: {error}', '{advice}', 6, 409),
  DT_CHAIN_REJECTED: row('The chain did not take the transaction: {reason}', 'Check the balance and the key of the sender.', 6, 502),
  DT_CHAIN_FOLDER_BUSY: row(
    'The chain in {folder} runs already ({holder}).',
    'Use that one, stop it first, or give another folder.',
    6,
    409,
  ),
  DT_CHAIN_JOURNAL_CORRUPT: row(
    'The record of the chain is damaged at {file}, line {line}: {reason}',
    'Nothing was changed. Restore the folder from a copy; a chain must not start with a hole in it.',
    6,
    500,
  ),
  DT_INDEX_DAMAGED: row(
    'The index of the chain in {path} is damaged again right after it was built anew: {reason}',
    'Check the disk that holds it; --home keeps it elsewhere. Nothing of it was used.',
    6,
    500,
  ),
  DT_CHAIN_ENGINE_FAILED: row(
    'The engine of the embedded chain failed: {reason}',
    'Start it again; what was acknowledged is on disk.',
    6,
    503,
    true,
  ),
  DT_CHAIN_TIMEOUT: row(
    'No receipt for {transaction} after {seconds} s.',
    'The transaction may still be mined; repeat the command, it continues where it stopped.',
    6,
    504,
    true,
  ),

  DT_PEER_UNREACHABLE: row('The daemon at {url} does not answer: {reason}', 'Ask its owner to start it: `dt daemon run`.', 7, 502, true),
  DT_PEER_ANSWER: row(
    'The daemon at {url} gave an answer that is not understood: {reason}',
    'Check that both sides run the same version.',
    7,
    502,
  ),
  DT_PEER_NO_ENDPOINT: row(
    '{owner}, the owner of {id}, has published no daemon.',
    'Ask it to run `dt asset grant`, or to register a daemon URL: `dt system org --url`.',
    7,
    422,
  ),
  DT_PEER_NO_DAEMON: row(
    '{organization}, whose key signs, has published no daemon.',
    'Sign with the key of the organization that runs it (`--key`), or register its URL: `dt system org --url`.',
    7,
    422,
  ),
  DT_PEER_FORBIDDEN_TARGET: row(
    '{url} is not a target that this program may fetch from.',
    'Add it to the content gateways of the configuration, if you trust it.',
    7,
    403,
  ),
  DT_PEER_GONE: row(
    '{peer} left before the computation was over: {reason}',
    'Ask its owner for the log of its daemon, then run the job again.',
    7,
    502,
    true,
  ),
  DT_PEER_STALLED: row(
    'Nothing from {peer} for {seconds} s.',
    'Check that its daemon runs and is reachable, then run the job again.',
    7,
    504,
    true,
  ),
  DT_PEER_PROTOCOL: row(
    '{peer} broke the protocol: {reason}',
    'Do not trust the run; nothing of it was released. Ask its owner which version it runs.',
    7,
    502,
  ),
  DT_PEER_ABORTED: row('{peer} ended the computation: {reason}', 'Correct what it names and run the job again.', 7, 502),
  DT_PEER_TERMS: row(
    '{field} is {ours} here and {theirs} at {peer}.',
    'Both sides must run the same version and the same job; nothing was sent.',
    7,
    409,
  ),

  DT_PSI_ID: row(
    'The id in row {row}, column {column} of the join {reason}.',
    'Correct or leave out the row, or agree with the other side on another normalization; nothing was sent.',
    2,
    422,
  ),
  DT_PSI_DUPLICATE: row(
    '{count} rows repeat the id of another row; the first is row {row}, which repeats row {first}.',
    'Leave the repeated rows out, or choose `keep-first` for duplicates; nothing was sent.',
    2,
    422,
  ),
  DT_PSI_SIZE: row(
    'The set has {actual} ids where at most {limit} were declared or can be joined.',
    'Declare a larger size to pad to; a single join takes up to 16,777,216 ids.',
    2,
    422,
  ),
  DT_PSI_TOO_FEW: row(
    'The two sides have fewer ids in common than the {minimum} that one of them demands; nobody learns how many.',
    'Join larger sets, or ask the owner that demands it for a smaller minimum.',
    5,
    422,
  ),

  DT_LINK_KEY_FILE: row(
    'The link key in {path} cannot be used: {reason}',
    'Give the file mode 0600 and an Ed25519 key in PEM form; without the file a new key is made, which the chain must then hold.',
    7,
    500,
  ),
  DT_LINK_KEY_MISMATCH: row(
    '{peer} showed the link key {shown}; the chain holds {expected}.',
    'Do not go on. If its owner has a new key, its daemon publishes it when it starts: `dt daemon run`.',
    7,
    403,
  ),
  DT_LINK_NO_KEY: row(
    'The caller at {peer} showed no Ed25519 key.',
    'Links are made by daemons of registered organizations only; check what calls this port.',
    7,
    403,
  ),
  DT_LINK_UNKNOWN_PEER: row(
    'The chain holds no link key of {peer}.',
    'Its daemon publishes it once the organization is registered: `dt daemon run`; or `dt system org --address {peer} --link-key …`.',
    7,
    403,
  ),
  DT_LINK_VERSION: row(
    '{peer} speaks {theirs}, this side {ours}.',
    'Both sides must run versions that share a link protocol; upgrade the older one.',
    7,
    409,
  ),
  DT_LINK_HANDSHAKE: row(
    'The handshake of a link with {peer} failed: {reason}',
    'Check that it is a daemon of this toolkit; its log says more.',
    7,
    502,
    true,
  ),
  DT_LINK_REFUSED: row(
    '{peer} refused the link ({code}): {reason}',
    'Correct what it names; `dt system orgs` shows what the chain holds.',
    7,
    403,
  ),
  DT_LINK_UNREACHABLE: row(
    'No link with {peer}: {reason}',
    'Check that its daemon runs, and that one of the two can reach the link port of the other.',
    7,
    504,
    true,
  ),
  DT_LINK_NO_ANSWER: row(
    '{peer} is linked, but did not open {purpose} of session {session} within {seconds} s.',
    'Ask its owner whether its daemon takes part in the job: `dt job status`.',
    7,
    504,
    true,
  ),
  DT_LINK_LIMIT: row(
    'The link with {peer} takes no more than {limit} of these.',
    'Let other jobs end first, then try again.',
    7,
    429,
    true,
  ),
  DT_LINK_TAKEN: row(
    'The channel {purpose} of session {session} with {peer} is open already.',
    'Close it first, or use another purpose.',
    7,
    409,
  ),
  DT_LINK_STOPPED: row('The links of this daemon are closed.', 'Start the daemon again: `dt daemon run`.', 7, 503, true),

  DT_JOINT_REFUSED: row(
    '{peer} refused its part, so the joint job does not run: {reason}',
    'Change what it names, or ask {peer}; `dt job status` shows the answers of all parties.',
    5,
    403,
  ),
  DT_JOINT_PEER_FAILED: row(
    'The joint job ended at {peer}: {reason}',
    'Nothing was released. Correct what it names, then `dt job rerun` for all parties.',
    7,
    502,
  ),
  DT_JOINT_PEER_ABSENT: row(
    '{peer} did not come to the joint job within {seconds} s: {reason}',
    'Ask its owner whether its daemon runs and took its part of the job, then `dt job rerun` for all parties.',
    7,
    504,
    true,
  ),
  DT_JOINT_PEER_LOST: row(
    '{peer} was lost while the joint job ran: {reason}',
    'Nothing was released. When its daemon runs again, `dt job rerun` for all parties.',
    7,
    502,
    true,
  ),
  DT_JOINT_PROTOCOL: row(
    '{peer} does not keep to the agreement of the joint job: {reason}',
    'Do not trust the run; nothing of it was released. Ask its owner which version it runs.',
    7,
    502,
  ),
  DT_JOINT_TRANSCRIPT: row(
    'What {peer} says it sent is not what arrived here: {reason}',
    'Do not trust the run; nothing of it was released. Keep the receipts of both sides for the regulator.',
    7,
    502,
  ),
  DT_JOINT_ALREADY_RELEASED: row(
    '{peer} has released its part of this job already, and the part of this daemon is lost.',
    'Add a new job for the same algorithm: `dt job exec`.',
    7,
    409,
  ),

  DT_JOB_UNKNOWN: row('No job {id} here.', 'Run `dt job list`.', 8, 404),
  DT_JOB_NOT_YOURS: row(
    'Job {id} was added by {demander}; {signer}, who asks, owns nothing in it, so no daemon says anything of it.',
    'Sign with the key that added it: `--key NAME`; `dt key list` shows your keys.',
    8,
    403,
  ),
  DT_JOB_EXISTS: row(
    'Job {id} was taken already; it is {state}.',
    'Follow it with `dt job status {id}`, or `dt job rerun {id}` when it failed.',
    8,
    409,
  ),
  DT_JOB_STATE: row('Job {id} is {state}; this needs {needed}.', 'See `dt job status {id}`.', 8, 409),
  DT_JOB_NOT_FINISHED: row('Job {id} has no outputs yet; it is {state}.', 'Follow it with `dt job logs {id} --follow`.', 8, 409, true),
  DT_JOB_OUTPUT_UNKNOWN: row('Job {id} has no output {name}.', 'Run `dt job outputs {id}` to see them.', 8, 404),
  DT_JOB_QUEUE_FULL: row('The queue of this daemon holds {limit} jobs and is full.', 'Try again later.', 8, 429, true),
  DT_JOB_OPERATOR_FAILED: row('The operator ended with {exit}. Its last lines: {log}', 'Read the whole log: `dt job logs`.', 8, 422),
  DT_JOB_SIMULATION_FAILED: row(
    'Seat {seat} of the simulated job ended with {exit}: {reason}',
    'Its log stands above. Correct the operator, its arguments or its data and run it again; nothing was kept.',
    8,
    422,
  ),
  DT_JOB_CANCELED: row('Job {id} was canceled by {by}: {reason}', 'Run it again with `dt job rerun {id}`.', 8, 409),
  DT_JOB_ENDED: row('The operator was ended from outside: {reason}', 'Ask for the state of the job: `dt job status`.', 8, 409),
  DT_JOB_REVOKED: row('Job {id} lost what it was allowed by: {reason}.', 'Ask the owner for a new grant, then run it again.', 8, 403),
  DT_JOB_INTERRUPTED: row(
    'The daemon stopped while job {id} ran, and its {limit} attempts are used up.',
    'Run it again with `dt job rerun {id}`.',
    8,
    503,
    true,
  ),
  DT_JOB_FAILED: row('Job {id} failed at {owner}: {reason}', 'Read its log: `dt job logs {id}`.', 8, 422),
  DT_JOB_OUTPUT_REFUSED: row(
    'Output {name} may not leave: {reason}',
    'Change the operator so that it writes plain files into outputs/.',
    8,
    422,
  ),

  DT_SANDBOX_UNAVAILABLE: row(
    'This machine cannot give the sandbox level {required}: {missing}',
    'Install what is missing, or set `sandbox.level` to a weaker level by name.',
    8,
    503,
  ),
  DT_SANDBOX_RUNTIME: row(
    'The runtime {runtime} is not installed on the machine of the daemon.',
    'Its owner installs it, or the operator is published for another runtime.',
    8,
    422,
  ),
  DT_SANDBOX_LIMIT: row(
    'The operator went over its limit of {limit} {unit} ({resource}) and was ended.',
    'Use less, or ask the owner of the daemon to raise the limit.',
    8,
    422,
  ),

  DT_RECEIPT_MISMATCH: row(
    'The receipt of {id} does not match at {pointer}.',
    'Do not rely on it; ask {owner} for an explanation.',
    9,
    409,
  ),
  DT_RECEIPT_UNVERIFIED: row(
    '{failed} of {count} checks failed. The first: {name} of {party} at {at}: expected {expected}, found {found}.',
    'Do not rely on what failed; ask that party for an explanation. A receipt is shown to the demander, its owner and its auditors: with another `--key` there is none to see.',
    9,
    409,
  ),
  DT_RECEIPT_NONE: row(
    'There is no receipt in {path}.',
    'Give the number of a job, a receipt, a job folder, or the folder that `dt job outputs --out` wrote.',
    9,
    404,
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** For codes that come from outside: no inherited name passes for a code. */
export const isErrorCode = (text: unknown): text is ErrorCode => typeof text === 'string' && Object.hasOwn(errorTable, text);
