/** Flags that decide whom and which chain a command is about, in the order in which they are repeated. Never a private key. */
const REPEATED = { key: 'DT_KEY', home: 'DT_HOME', rpc: 'DT_RPC', 'address-book': 'DT_ADDRESS_BOOK' } as const;

/**
 * A command as one would type it after this one: with the flags that this one was given and that it knows. What came from an environment
 * variable is there for the next command too.
 * @param knows whether a command, its words joined by colons, has a flag
 */
export function withSameFlags(
  command: string,
  given: Readonly<Record<string, unknown>>,
  knows: (id: string, flag: string) => boolean,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const words = command.split(' ').slice(1);
  const end = words.findIndex((word) => !/^[a-z]+$/.test(word));
  const id = words.slice(0, end === -1 ? words.length : Math.min(end, 2)).join(':');
  const repeated = Object.entries(REPEATED).flatMap(([flag, variable]) => {
    const value = given[flag];
    if (typeof value !== 'string' || env[variable] === value || !knows(id, flag) || words.includes(`--${flag}`)) return [];
    return [` --${flag} ${/^[\w./:@=-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`}`];
  });
  return command + repeated.join('');
}
