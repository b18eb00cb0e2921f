import { nearestWord } from '../errors/nearest-word.js';
import { ToolkitError } from '../errors/toolkit-error.js';

export interface KnownCommand {
  /** `job:list` */
  readonly id: string;
  /** Names of its own flags, without those that all commands share. */
  readonly flags: readonly string[];
}

/** What was typed and is no command: what was probably meant. Words after the second are not repeated, since they may be secrets. */
export function unknownCommand(argv: readonly string[], known: readonly KnownCommand[]): ToolkitError {
  const words = argv.slice(0, argv.findIndex((word) => word.startsWith('-')) >>> 0);
  const [first = '', second = ''] = words;
  const command = known.find(({ id }) => id === first || id === `${first}:${second}`);
  if (command !== undefined) {
    const flags = command.flags.map((flag) => `--${flag}`).join(', ');
    const advice = `Its flags: ${flags === '' ? 'none of its own' : flags}. \`dt ${spoken(command.id)} --help\` says what they mean.`;
    return new ToolkitError('DT_INPUT_ARGUMENT', { command: spoken(command.id), advice });
  }
  const typed = words.length > 0 ? words.slice(0, 2).join(' ') : (argv[0] ?? '').replace(/=.*/s, '');
  return new ToolkitError('DT_INPUT_COMMAND', { typed, advice: adviceOn(words, known) });
}

function adviceOn([first = '', second, ...rest]: readonly string[], known: readonly KnownCommand[]): string {
  const ids = known.map(({ id }) => id);
  if (first === 'help') return `Write \`${['dt', second ?? [], ...rest, '--help'].flat().join(' ')}\`.`;
  if (first === 'version') return 'Write `dt --version`.';
  const isTopic = ids.some((id) => id.startsWith(`${first}:`));
  const namesakes = isTopic ? [] : ids.filter((id) => id.endsWith(`:${first}`));
  if (namesakes.length > 0) return `Did you mean ${namesakes.map((id) => `\`dt ${spoken(id)}\``).join(' or ')}?`;
  const topic = nearestWord(first, [...new Set(ids.map((id) => id.split(':')[0] ?? ''))]);
  if (topic === undefined) return 'Run `dt --help` to see what there is.';
  const inTopic = ids.flatMap((id) => (id.startsWith(`${topic}:`) ? [id.slice(topic.length + 1)] : []));
  if (second === undefined || inTopic.length === 0) return `Did you mean \`dt ${topic}\`?`;
  const meant = nearestWord(second, inTopic);
  return meant === undefined ? `Run \`dt ${topic} --help\` to see its commands.` : `Did you mean \`dt ${topic} ${meant}\`?`;
}

const spoken = (id: string): string => id.replaceAll(':', ' ');
