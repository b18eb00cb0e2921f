import { mkdirSync } from 'node:fs';
import { posix } from 'node:path';
import type { JsonObject } from '../documents/canonical.js';
import type { JointDescription, JointSeat } from '../documents/job/joint-description.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { Channel } from '../privacy/channel.js';

/** What a joint operator knows of its run. */
export interface OperatorSession {
  /** The arguments of the job, as the algorithm fixed them. */
  readonly args: JsonObject;
  /** 64 hex digits, the same at every party of this very job: put it into the terms of a protocol. */
  readonly digest: string;
  /** This party's key in `exec_endpoints`. */
  readonly seat: string;
  /** Every party, this one too; who has no `inputs` is a helper. */
  readonly seats: readonly JointSeat[];
  /** The link to another party. @throws DT_INPUT_INVALID for an unknown seat */
  channel(seat: string | number): Channel;
  /** Path of one of this party's own inputs. @throws DT_INPUT_MISSING */
  input(number: string | number): string;
  /**
   * A declared output (`./outputs/result.json`) as a path to write to; its folder is made.
   * @param what its name for the error, as "outputs.0" @throws DT_INPUT_INVALID for whatever is not below outputs/
   */
  output(path: unknown, what: string): string;
}

export function operatorSession(args: JsonObject, joint: JointDescription, channels: ReadonlyMap<string, Channel>): OperatorSession {
  return {
    args,
    digest: joint.session,
    seat: joint.seat,
    seats: joint.seats,
    channel(seat) {
      const channel = channels.get(String(seat));
      if (channel !== undefined) return channel;
      throw new ToolkitError('DT_INPUT_INVALID', {
        what: `Seat ${seat}`,
        reason: String(seat) === joint.seat ? 'it is this party itself' : `the other seats are ${joint.peers.join(', ')}`,
      });
    },
    input(number) {
      const path = Object.hasOwn(joint.inputs, String(number)) ? joint.inputs[String(number)] : undefined;
      if (path !== undefined) return path;
      const own = Object.keys(joint.inputs);
      const has = own.length === 0 ? 'brings no input' : `has ${own.join(', ')}`;
      throw new ToolkitError('DT_INPUT_MISSING', { what: `Input ${number} of seat ${joint.seat}, which ${has},` });
    },
    output(path, what) {
      const reason = 'it must be a path like ./outputs/result.json';
      if (typeof path !== 'string' || /[\p{Cc}\\]/u.test(path)) throw new ToolkitError('DT_INPUT_INVALID', { what, reason });
      const clean = posix.normalize(path);
      if (!/^outputs\/[^/]/.test(clean) || clean.endsWith('/')) throw new ToolkitError('DT_INPUT_INVALID', { what, reason });
      mkdirSync(posix.dirname(clean), { recursive: true });
      return clean;
    },
  };
}
