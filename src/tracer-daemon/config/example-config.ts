import { stringify } from 'yaml';
import type { ConfigValues } from './config.js';
import { configSchema, isSection, type SectionSchema, VARIABLE_PREFIX } from './config-schema.js';

const HEAD = `# Configuration of a tracer daemon. Every key may be left out; the values here are the defaults unless they were chosen at init.
# Any key can be set by a variable instead, which wins: jobs.queueLimit is ${VARIABLE_PREFIX}JOBS__QUEUE_LIMIT.
# Relative paths start at the folder of this file. No secret belongs in here.
`;

/** The commented file that \`dt daemon init\` writes: every key, its meaning in one line, and its value. */
export function exampleConfig(values: ConfigValues = {}): string {
  return HEAD + sectionText(configSchema, isRecord(values) ? values : {}, { depth: 0, all: false });
}

/** `all`: keys without a value are shown with their example, because the whole section stands in comments. */
function sectionText(
  section: SectionSchema,
  values: Readonly<Record<string, unknown>>,
  { depth, all }: { depth: number; all: boolean },
): string {
  const indent = '  '.repeat(depth);
  let text = '';
  for (const [name, schema] of Object.entries(section.properties)) {
    const value = values[name];
    text += `${depth === 0 ? '\n' : ''}${indent}# ${schema.description}\n`;
    if (isSection(schema)) {
      const inner = isRecord(value) ? value : {};
      const shown = all || hasValue(schema, inner);
      const block = `${indent}${name}:\n${sectionText(schema, inner, { depth: depth + 1, all: all || !shown })}`;
      text += shown ? block : commented(block);
    } else {
      const chosen = replaced(section, name, values) ? undefined : (value ?? schema.default);
      const shown = all || chosen !== undefined;
      text += `${indent}${shown ? '' : '# '}${name}: ${inline(chosen ?? schema.default ?? schema.examples?.[0])}\n`;
    }
  }
  return text;
}

/** A key file takes the place of keystore and name, which then may not stand beside it. */
const replaced = (section: SectionSchema, name: string, values: Readonly<Record<string, unknown>>): boolean =>
  section === configSchema.properties['key'] && (name === 'keystore' || name === 'name') && values['file'] !== undefined;

/** A section without any would be an empty one, which the schema refuses. */
const hasValue = (section: SectionSchema, values: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(section.properties).some(
    ([name, schema]) => values[name] !== undefined || isSection(schema) || schema.default !== undefined,
  );

const commented = (text: string): string => text.replace(/^(?=.)/gm, '# ');

const inline = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).replace(/\n$/, '');

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
