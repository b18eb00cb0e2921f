// What `dt` shows to the outside, read from the command classes: flags, arguments and the shape of every --json result.
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'src', 'commands');

/** Every command class with its id, sorted: `asset:dt`. Needs a loader for TypeScript. */
export async function loadCommands() {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = join(folder, name);
      const { default: command } = await import(pathToFileURL(file).href);
      return { id: name.replace(/\.ts$/, '').replaceAll('/', ':'), file, command };
    }),
  );
}

/** The frozen surface: what scripts of users rely on. */
export async function readSurface() {
  const commands = await loadCommands();
  const shapes = readResultShapes(commands.map(({ file }) => file));
  return Object.fromEntries(
    commands.map(({ id, file, command }) => [
      id,
      {
        args: mapEntries(command.args ?? {}, ({ required = false, hidden = false }) => ({
          ...(required && { required }),
          ...(hidden && { hidden }),
        })),
        flags: mapEntries(flagsOf(command), describeFlag),
        json: shapes.get(file),
      },
    ]),
  );
}

export const flagsOf = (command) => ({ ...command.baseFlags, ...command.flags });

function describeFlag({ type, env, char, aliases = [], options, multiple = false, required = false, default: fallback, exclusive = [] }) {
  return {
    type,
    env,
    ...(char && { char }),
    ...(aliases.length > 0 && { aliases }),
    ...(options && { options }),
    ...(multiple && { multiple }),
    ...(required && { required }),
    ...(['string', 'number'].includes(typeof fallback) && { default: fallback }),
    ...(exclusive.length > 0 && { exclusive }),
  };
}

const mapEntries = (object, describe) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, describe(value)]));

/** What `run()` of each file's class resolves to, as JSON will have it; the compiler knows, so this cannot drift. */
function readResultShapes(files) {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(files, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  return new Map(
    files.map((file) => {
      const source = program.getSourceFile(file);
      const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(source)).find(({ name }) => name === 'default');
      const run = checker.getDeclaredTypeOfSymbol(exported).getProperty('run');
      const [signature] = checker.getTypeOfSymbolAtLocation(run, source).getCallSignatures();
      const result = checker.getAwaitedType(signature.getReturnType());
      return [file, shapeOf(checker, result, [])];
    }),
  );
}

const { TypeFlags } = ts;

function shapeOf(checker, type, outer) {
  if (type.flags & (TypeFlags.Any | TypeFlags.Unknown)) return 'any';
  if (type.flags & TypeFlags.StringLike) return 'string';
  if (type.flags & TypeFlags.NumberLike) return 'number';
  if (type.flags & TypeFlags.BooleanLike) return 'boolean';
  // JSON has no bigint; the base class writes the digits as a string.
  if (type.flags & TypeFlags.BigIntLike) return 'string';
  if (type.flags & TypeFlags.Null) return 'null';
  if (['Json', 'JsonObject'].includes(type.aliasSymbol?.name)) return 'json';
  if (outer.includes(type)) return 'the same again';
  const above = [...outer, type];
  if (type.isUnion()) {
    const parts = type.types.filter((part) => !(part.flags & (TypeFlags.Undefined | TypeFlags.Void)));
    // The name Json is lost where undefined was added to it.
    if (parts.some((part) => part.flags & TypeFlags.Null) && parts.some((part) => elementOf(checker, part) !== undefined)) return 'json';
    if (parts.length > 1 && parts.every((part) => isPlainObject(checker, part))) return mergeShapes(checker, parts, above);
    const shapes = new Set(parts.map((part) => JSON.stringify(shapeOf(checker, part, above))));
    return shapes.size === 1
      ? JSON.parse([...shapes][0])
      : [...shapes]
          .map((text) => textOf(JSON.parse(text)))
          .sort()
          .join(' | ');
  }
  if (checker.getTypeOfPropertyOfType(type, '__brand') !== undefined) return 'string';
  const element = elementOf(checker, type);
  if (element !== undefined) return [shapeOf(checker, element, above)];
  const index = checker.getIndexInfosOfType(type)[0]?.type;
  const properties = propertiesOf(type);
  // Open objects of documents: whatever their author wrote.
  if (index !== undefined) return properties.length === 0 ? { '*': shapeOf(checker, index, above) } : 'json';
  return Object.fromEntries(properties.map((property) => entryOf(checker, property, above)));
}

function entryOf(checker, property, above) {
  const type = checker.getTypeOfSymbol(property);
  const parts = type.isUnion() ? type.types : [type];
  const optional = property.flags & ts.SymbolFlags.Optional || parts.some((part) => part.flags & TypeFlags.Undefined);
  return [`${property.name}${optional ? '?' : ''}`, shapeOf(checker, type, above)];
}

/** One object of several that it may be: what not all of them have is optional. */
function mergeShapes(checker, parts, above) {
  const shapes = parts.map((part) => shapeOf(checker, part, above));
  const plain = (key) => key.replace(/\?$/, '');
  const keys = [...new Set(shapes.flatMap((shape) => Object.keys(shape).map(plain)))].sort();
  return Object.fromEntries(
    keys.map((key) => {
      const always = shapes.every((shape) => Object.hasOwn(shape, key));
      const found = shapes.map((shape) => shape[key] ?? shape[`${key}?`]).find((value) => value !== undefined);
      return [always ? key : `${key}?`, found];
    }),
  );
}

const propertiesOf = (type) => type.getProperties().filter(({ flags }) => !(flags & ts.SymbolFlags.Method));

const isPlainObject = (checker, type) =>
  (type.flags & (TypeFlags.Object | TypeFlags.Intersection)) !== 0 &&
  checker.getTypeOfPropertyOfType(type, '__brand') === undefined &&
  elementOf(checker, type) === undefined &&
  checker.getIndexTypeOfType(type, ts.IndexKind.String) === undefined;

function elementOf(checker, type) {
  if (checker.isTupleType(type)) return checker.getTypeArguments(type)[0];
  return checker.isArrayType(type) ? checker.getTypeArguments(type)[0] : undefined;
}

const textOf = (shape) => (typeof shape === 'string' ? shape : JSON.stringify(shape));
