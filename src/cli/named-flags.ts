interface NamedFlag {
  env?: string;
  aliases?: string[];
}

/**
 * Gives every flag what all flags have: its environment variable DT_<FLAG> and, where its name has a dash, the spelling with underscores
 * that the original's commands used.
 */
export function namedFlags<T extends Record<string, NamedFlag>>(flags: T): T {
  const named = Object.entries(flags).map(([name, flag]) => {
    const snake = name.replaceAll('-', '_');
    return [name, { ...flag, env: `DT_${snake.toUpperCase()}`, ...(snake !== name && { aliases: [...(flag.aliases ?? []), snake] }) }];
  });
  return Object.fromEntries(named) as T;
}
