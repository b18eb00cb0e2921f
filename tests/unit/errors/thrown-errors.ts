import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** One `new ToolkitError('CODE', { … })` in the sources. */
export interface ThrownError {
  /** file:line */
  readonly where: string;
  readonly code: string;
  /** The keys of its details; undefined when they are not written out there. */
  readonly keys: readonly string[] | undefined;
  /** Details are spread in, so there may be more keys than are written. */
  readonly open: boolean;
}

export function findThrownErrors(): readonly ThrownError[] {
  return sourceFiles().flatMap((file) => {
    const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ES2022, true);
    const found: ThrownError[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isNewExpression(node) && node.expression.getText(source) === 'ToolkitError') {
        const [code, details] = node.arguments ?? [];
        const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
        for (const name of code === undefined ? [] : literals(code))
          found.push({ where: `${file}:${line}`, code: name, ...keysOf(details) });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  });
}

/** What the comments promise with @throws, by file:line. A `*` at the end stands for every code that begins so. */
export function findPromisedCodes(): readonly (readonly [where: string, code: string])[] {
  return sourceFiles().flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, i) => {
        const promise = /@throws (.*)/.exec(line)?.[1] ?? '';
        return [...promise.matchAll(/\bDT_[A-Z0-9_]+\*?/g)].map(([code]) => [`${file}:${i + 1}`, code] as const);
      }),
  );
}

/** Codes that stand as a text anywhere in the sources but the table itself. */
export function findNamedCodes(): ReadonlySet<string> {
  const sources = sourceFiles().filter((file) => file !== 'src/errors/codes.ts');
  return new Set(
    sources.flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/'(DT_[A-Z0-9_]+)'/g)].map(([, code]) => code ?? '')),
  );
}

/** Every `dt <topic> …` in texts and comments, up to the end of its text, code span or sentence. */
export function findCommandLines(): readonly (readonly [where: string, line: string])[] {
  const topics = readdirSync(join(root, 'src/commands')).map((name) => name.replace(/\.ts$/, ''));
  const start = `\\bdt (?:${topics.join('|')})\\b`;
  const command = new RegExp(`${start}(?:(?!${start})(?:[^\`'",;.)$\\\\]|\\.(?=\\w)|\\$\\{[\\w.]+\\}))*`, 'g');
  return sourceFiles().flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, i) => [...line.matchAll(command)].map(([text]) => [`${file}:${i + 1}`, text.trim()] as const)),
  );
}

function sourceFiles(): readonly string[] {
  return readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replace(/^\//, ''))
    .sort();
}

function literals(node: ts.Expression): readonly string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...literals(node.whenTrue), ...literals(node.whenFalse)];
  return ts.isParenthesizedExpression(node) ? literals(node.expression) : [];
}

function keysOf(details: ts.Expression | undefined): Pick<ThrownError, 'keys' | 'open'> {
  if (details === undefined) return { keys: [], open: false };
  if (!ts.isObjectLiteralExpression(details)) return { keys: undefined, open: true };
  const keys: string[] = [];
  let open = false;
  for (const property of details.properties) {
    const name = property.name;
    if (ts.isSpreadAssignment(property)) open = true;
    else if (name !== undefined && (ts.isIdentifier(name) || ts.isStringLiteralLike(name))) keys.push(name.text);
    else open = true;
  }
  return { keys, open };
}
