import chalk from 'chalk';
import {
  type Deadline,
  deadlineMs,
  describeRuns,
  mediaTypeOf,
  type OutputRule,
  type ReleaseTerms,
} from '../documents/ddo/release-terms.js';
import { printable } from './render-text.js';

/** What a leaf's service lets out, in words: one line a rule. */
export function renderTerms({ outputs, approval, retentionHours, runs }: ReleaseTerms): readonly string[] {
  const line = (title: string, text: string): string => `  ${chalk.dim(title)} ${text}`;
  return [
    ...(runs === undefined ? [] : [line('runs', describeRuns(runs))]),
    ...(approval === undefined ? [] : [line('approval', `each request, by the owner ${within(approval)}`)]),
    line('leaves', outputs === undefined ? 'what the operator writes' : outputs.length === 0 ? 'nothing' : ''),
    ...(outputs ?? []).map((rule) => `    ${printable(describeOutput(rule))}`),
    ...(retentionHours === undefined ? [] : [line('deleted', `${retentionHours} hours after the end`)]),
  ].map((text) => text.trimEnd());
}

function describeOutput(rule: OutputRule): string {
  const { name, schema, maxBytes, minGroupSize, recipient, hold } = rule;
  const mediaType = mediaTypeOf(rule);
  return [
    name,
    ...(mediaType === undefined ? [] : [mediaType]),
    ...(schema === undefined ? [] : ['of a JSON schema']),
    ...(maxBytes === undefined ? [] : [`at most ${maxBytes} bytes`]),
    ...(minGroupSize === undefined ? [] : [`every ${minGroupSize.column} at least ${minGroupSize.size}`]),
    ...(recipient === 'owner' ? ['for the owner only'] : []),
    ...(hold === undefined ? [] : [`held for the owner ${within(hold)}`]),
  ].join(', ');
}

const within = (asked: true | 'manual' | Deadline): string => `within ${deadlineMs(asked) / 3_600_000} hours`;
