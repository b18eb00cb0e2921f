import { readFileSync } from 'node:fs';
import { isObject, type JsonObject, parseJson } from '../documents/canonical.js';
import type { DirectAccount } from '../documents/job/direct-account.js';
import { type JointDescription, parseJointDescription } from '../documents/job/joint-description.js';
import { ToolkitError, toToolkitError } from '../errors/toolkit-error.js';
import type { Channel } from '../privacy/channel.js';
import { reasonForPeers } from '../privacy/party.js';
import { isEcho, type OpenChannels, openChannels } from './open-channels.js';
import { type OperatorSession, operatorSession } from './operator-session.js';
import { printable } from './printable.js';

/** Upper bound for the last words to leave after a failure. */
const LAST_WORDS_MS = 3_000;

/**
 * The whole life of a joint operator's process: reads args.json (`--config`) and joint.json, opens the channels, runs `body`, closes the
 * channels. Whatever ends it early, also SIGTERM and a rejection that nobody awaits, ends every channel with the reason, so that no
 * party waits for another; it is told on stderr as `DT_CODE: message` and a hint, and the exit code is 1.
 * A failure that is not a ToolkitError is a bug of the operator: its stack goes to the own log, and nothing of it to the peers.
 */
export async function runOperator(body: (session: OperatorSession) => Promise<void>): Promise<void> {
  let opened: OpenChannels | undefined;
  const early = whatEndsEarly();
  try {
    const { args, joint } = readJobFolder();
    const open = openChannels(joint, process.env);
    open.catch(() => undefined);
    opened = await Promise.race([open, early.failure]);
    const { channels } = opened;
    await Promise.race([body(operatorSession(args, joint, channels)), early.failure]);
    // All at once: each waits for the end of its peer, who may wait for another.
    await Promise.race([Promise.all([...channels.values()].map((channel) => channel.close())), early.failure]);
    await opened.account(trafficOn(joint, channels));
  } catch (thrown) {
    const error = toToolkitError(thrown);
    const reason = reasonForPeers(error);
    // The own daemon first: it tells what follows from this from what this follows from.
    void opened?.account({ kind: 'failure', reason, echo: isEcho(error) });
    for (const channel of opened?.channels.values() ?? []) channel.abort(reason);
    tell(error);
    process.exitCode = 1;
    // Something of the operator's own may still be pending; the channels need a moment only.
    setTimeout(() => process.exit(1), LAST_WORDS_MS).unref();
  } finally {
    early.release();
  }
}

/** What has crossed the connections that the daemon does not see. */
function trafficOn(joint: JointDescription, channels: ReadonlyMap<string, Channel>): DirectAccount {
  const traffic = (joint.direct ?? []).map(({ seat }) => {
    const channel = channels.get(seat);
    const { bytesSent = 0, bytesReceived = 0, messagesSent = 0, messagesReceived = 0 } = channel?.counters ?? {};
    const { sent = '', received = '' } = channel?.transcript() ?? {};
    const link = {
      sent: { bytes: bytesSent, messages: messagesSent, sha256: sent },
      received: { bytes: bytesReceived, messages: messagesReceived, sha256: received },
    };
    return [seat, link] as const;
  });
  return { kind: 'traffic', traffic: Object.fromEntries(traffic) };
}

function readJobFolder(): { readonly args: JsonObject; readonly joint: JointDescription } {
  const config = process.argv.indexOf('--config');
  const path = config < 0 ? undefined : process.argv[config + 1];
  const args = parseJson(read(path ?? 'args.json', 'its arguments are given with --config args.json'), 'args.json');
  if (!isObject(args)) throw new ToolkitError('DT_INPUT_INVALID', { what: 'args.json', reason: 'it is no object' });
  const joint = read('joint.json', 'a joint operator is started by a daemon, or by `dt job simulate`');
  return { args, joint: parseJointDescription(parseJson(joint, 'joint.json')) };
}

function read(path: string, advice: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ToolkitError('DT_INPUT_FILE', { path, reason: `${(error as NodeJS.ErrnoException).code ?? 'it failed'}; ${advice}` }, error);
  }
}

function whatEndsEarly(): { readonly failure: Promise<never>; readonly release: () => void } {
  let fail: (reason: unknown) => void = () => undefined;
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => undefined);
  const onCrash = (thrown: unknown): void => fail(thrown);
  const onTerm = (): void => fail(new ToolkitError('DT_JOB_ENDED', { reason: 'the process got SIGTERM' }));
  process.on('uncaughtException', onCrash).on('unhandledRejection', onCrash).on('SIGTERM', onTerm);
  const release = (): void => {
    process.off('SIGTERM', onTerm);
    // What fails after the end is of a promise that nobody awaited, as a rule for the very same reason.
    if (process.exitCode !== 1) process.off('uncaughtException', onCrash).off('unhandledRejection', onCrash);
  };
  return { failure, release };
}

function tell(error: ToolkitError): void {
  const lines = [`${error.code}: ${error.message}`, error.hint].map(printable);
  if (error.code === 'DT_BUG_UNEXPECTED' && error.cause instanceof Error) {
    lines.unshift(...(error.cause.stack ?? '').split('\n').map(printable));
  }
  process.stderr.write(`${lines.join('\n')}\n`);
}
