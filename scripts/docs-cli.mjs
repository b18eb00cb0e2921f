// Writes docs/CLI.md from the command classes. --check only says whether it is current; --accept-surface freezes what the commands show today
// (flags, arguments, keys of --json) as tests/unit/commands/surface.json, which a test holds them to.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { flagsOf, loadCommands, readSurface } from './cli-surface.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
export const docsFile = join(root, 'docs', 'CLI.md');
export const surfaceFile = join(root, 'tests', 'unit', 'commands', 'surface.json');

export const surfaceText = (surface) => `${JSON.stringify(surface, null, 2)}\n`;

/** docs/CLI.md as it should be. */
export async function cliDocs(surface) {
  const commands = await loadCommands();
  const { oclif } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const topics = [...new Set(commands.map(({ id }) => id.split(':')[0]))];
  const parts = [HEAD];
  for (const topic of topics) {
    const own = commands.filter(({ id }) => id.split(':')[0] === topic);
    const about = oclif.topics[topic]?.description;
    parts.push(about === undefined ? `## ${topic}` : `## ${topic}\n\n${about[0].toUpperCase()}${about.slice(1)}.`);
    for (const { id, command } of own) parts.push(commandDocs(id, command, surface[id].json));
  }
  parts.push(TAIL);
  return `${parts.join('\n\n')}\n`;
}

function commandDocs(id, command, shape) {
  const name = id.replaceAll(':', ' ');
  const fill = (text) => text.replaceAll('<%= config.bin %>', 'dt');
  const args = Object.entries(command.args ?? {}).filter(([, { hidden }]) => !hidden);
  const flags = Object.entries(flagsOf(command)).filter(([, { helpGroup }]) => helpGroup === undefined);
  const usage = ['dt', name, ...args.map(([arg, { required }]) => (required ? `<${arg}>` : `[${arg}]`))].join(' ');
  const rows = [
    ...args.map(([arg, { description }]) => [`\`${arg}\``, '', description]),
    ...flags.map(([flag, spec]) => [flagText(flag, spec), `\`${spec.env ?? ''}\``, flagAbout(spec)]),
  ];
  const signs = Object.keys(flagsOf(command)).includes('private-key') ? '`--key` and `--private-key` as above.' : '';
  return [
    name === 'demo' ? '### `dt demo`' : `### \`${usage}\``,
    fill(command.description),
    rows.length === 0 ? '' : table(['', 'environment', ''], rows),
    signs,
    `\`\`\`sh\n${command.examples.map(fill).join('\n')}\n\`\`\``,
    shape === 'any' ? '' : `\`--json\`: \`${shapeText(shape)}\``,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function flagText(name, { type, char, aliases = [], options }) {
  const value = type === 'boolean' ? '' : ` ${options === undefined ? '…' : options.join('\\|')}`;
  const others = [...aliases.map((alias) => `--${alias}`), ...(char ? [`-${char}`] : [])].map((other) => `, \`${other}\``).join('');
  return `\`--${name}${value}\`${others}`;
}

const flagAbout = ({ description, default: fallback }) =>
  ['string', 'number'].includes(typeof fallback) ? `${description} (default \`${fallback}\`)` : description;

const cell = (text) => text.replace(/(?<!\\)\|/g, '\\|');
const table = (head, rows) =>
  [`| ${head.join(' | ')} |`, `|${head.map(() => '---|').join('')}`, ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`)].join('\n');

/** `{ job, shares: [{ token, state }], error? }`: the names; what they hold is in the code that returns them. */
function shapeText(shape) {
  if (Array.isArray(shape)) return `[${shapeText(shape[0])}]`;
  if (typeof shape !== 'object') return shape === 'the same again' ? '…' : '';
  const entries = Object.entries(shape).map(([key, value]) => {
    const inner = shapeText(value);
    return ['', '[]', '{ * }'].includes(inner) ? `${key}${inner === '[]' ? ': []' : ''}` : `${key}: ${inner}`;
  });
  return `{ ${entries.join(', ')} }`;
}

const HEAD = `# The command \`dt\`

<!-- Written by scripts/docs-cli.mjs from the command classes; do not edit. -->

What holds for every command:

- **Results** go to stdout, progress and warnings to stderr. \`--json\` prints one JSON object instead, \`{ "error": { code, message, hint, … } }\`
  when nothing came of it. Numbers that may pass 2^53 (tasks, jobs) are strings in it. \`NO_COLOR\` is respected.
- **Left-out flags** are asked for on a terminal; in a pipe and with \`--json\` they are the error \`DT_INPUT_MISSING\`.
- **Every flag** can be set by the environment variable beside it. Names with dashes may be written with underscores: \`--attr_file\`.
- **Tokens** are named by their id, \`dt:ownership:\` and 64 hex digits, or by \`@name\` on the machine that gave them a name with \`--as\`. An \`@name\`
  works in attribute files too.
- **Files**: all relative paths start at the working directory, also those inside attribute files. \`-\` in place of a file is stdin.
- **Keys**: \`--key\` names a key of \`dt key list\`; its password is \`DT_PASSWORD\` or asked for. Without \`--key\` the default key signs. \`--private-key\`
  (64 hex digits, also without 0x) shows the key to every user of the machine and warns; \`DT_PRIVATE_KEY\` does not.

| everywhere | environment | |
|---|---|---|
| \`--home …\` | \`DT_HOME\` | folder of keys, settings, names and documents (default \`~/.dt\`) |
| \`--rpc …\` | \`DT_RPC\` | JSON-RPC URL of the chain; default: the one that \`dt chain\` last used |
| \`--address-book …\` | \`DT_ADDRESS_BOOK\` | file with the addresses of the contracts; default: the one in the home folder |
| \`--json\` | | one JSON object on stdout |
| | \`DT_PASSWORD\` | password of the key |
| | \`DT_HINTS\` | \`off\`: no line about what may come next |
| | \`DT_DEBUG\` | set to anything: errors come with their cause |

Exit codes: 0 done, 1 a bug, 2 input or configuration, 3 asset or document, 4 authentication, 5 policy (a condition is not met), 6 chain, 7 another
daemon, 8 job or sandbox, 9 a receipt that does not match, 130 ctrl-c. [ERRORS.md](ERRORS.md) has every error.`;

const TAIL = `## From the original project

Its commands run as they are, with \`dt\` for \`python client/dt-cli.py\`:

\`\`\`sh
dt system org --name 'org1' --desc 'test_org1' --address 0x7080… --private_key 4472…
dt system op --attr_file ./samples/op/rtt_op_attr.json --private_key …
dt asset dt --attr_file ./samples/ddo/org1_feature_attr.json --private_key …
dt asset cdt --attr_file ./samples/ddo/3rd_algo_attr.json --private_key …
dt job init --name 'test' --desc 'test_task' --private_key …
dt job exec --task_id 1 --cdt 'dt:ownership:…' --private_key …
dt tracer dfs --prefix_path 'dt:ownership:…' --detailed x
\`\`\`

\`job exec\` now waits for the end and fails when a share fails; \`--detach\` returns at once as before.`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { register } = await import('tsx/esm/api');
  register();
  const surface = await readSurface();
  const wanted = [
    [docsFile, await cliDocs(surface), true],
    [surfaceFile, surfaceText(surface), process.argv.includes('--accept-surface')],
  ];
  for (const [file, text, mayWrite] of wanted) {
    if ((await readFile(file, 'utf8').catch(() => '')) === text) continue;
    if (mayWrite && !process.argv.includes('--check')) {
      await writeFile(file, text);
      console.log(`wrote ${file}`);
    } else {
      const flag = file === surfaceFile ? ' --accept-surface, if users may see the difference' : '';
      console.error(`${file} is not current: run \`node scripts/docs-cli.mjs\`${flag}`);
      process.exitCode = 1;
    }
  }
}
