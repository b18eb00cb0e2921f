export interface CommandClass {
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly args?: Readonly<Record<string, { readonly hidden?: boolean; readonly ignoreStdin?: boolean }>>;
}

export interface FlagSpec {
  readonly env?: string;
  readonly aliases?: readonly string[];
}

/** The JSON that a command prints: a word for a value, a list of one shape, or the keys of an object, `?` behind those that may be absent. */
export type Shape = string | readonly Shape[] | { readonly [key: string]: Shape };

export type Surface = Readonly<Record<string, { readonly args: object; readonly flags: object; readonly json: Shape }>>;

export function loadCommands(): Promise<readonly { readonly id: string; readonly file: string; readonly command: CommandClass }[]>;
export function readSurface(): Promise<Surface>;
export function flagsOf(command: CommandClass): Readonly<Record<string, FlagSpec>>;
