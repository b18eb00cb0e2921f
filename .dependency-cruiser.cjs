// Who may import whom: the allow-list of docs/ARCHITECTURE.md. Everything else between rooms, and every cycle, is an error.
const rooms = {
  errors: [],
  documents: ['errors'],
  constraints: ['documents', 'errors'],
  privacy: ['errors'],
  'operator-kit': ['privacy', 'documents', 'errors'],
  ledger: ['documents', 'errors'],
  'content-store': ['documents', 'errors'],
  datasets: ['documents', 'errors'],
  sandbox: ['documents', 'errors'],
  keys: ['documents', 'errors'],
  peers: ['documents', 'errors', 'privacy/channel\\.ts'],
  // It verifies decisions by making them again.
  catalog: ['constraints', 'ledger', 'content-store', 'documents', 'errors'],
  actions: ['catalog', 'constraints', 'ledger', 'content-store', 'peers', 'operator-kit', 'documents', 'errors'],
  'tracer-daemon': [
    'catalog',
    'constraints',
    'ledger',
    'content-store',
    'peers',
    'operator-kit',
    // Only what carries messages: the daemon runs no protocol, its operators do.
    'privacy/channel\\.ts',
    'privacy/stream-channel\\.ts',
    'sandbox',
    'datasets',
    'keys',
    'documents',
    'errors',
  ],
  // The wiring of the commands: the one place of that program where rooms are put together.
  cli: ['actions', 'catalog', 'keys', 'ledger', 'content-store', 'peers', 'sandbox', 'datasets', 'tracer-daemon', 'documents', 'errors'],
  commands: ['cli', 'actions', 'keys', 'documents', 'errors'],
};
const servers = ['^src/tracer-daemon/(start-daemon|config/load-config)\\.ts$', '^src/ledger/embedded-chain/embedded-chain\\.ts$'];

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-dev-packages',
      severity: 'error',
      from: { path: '^src' },
      to: { dependencyTypes: ['npm-dev'], pathNot: ['@types', '^node_modules/typescript/'] },
    },
    {
      name: 'web-imports-types-of-documents',
      comment: 'the page speaks to the daemon over HTTP only',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^src/', pathNot: '^src/documents/' },
    },
    {
      name: 'web-imports-types-only',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^src/documents/', dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-unresolved', severity: 'error', from: { path: '^src' }, to: { couldNotResolve: true } },
    ...Object.entries(rooms).map(([room, may]) => ({
      name: `${room}-imports`,
      severity: 'error',
      from: {
        path: `^src/${room}/`,
        // daemon, chain and demo start the servers.
        ...(room === 'commands' && { pathNot: '^src/commands/(daemon/|chain/|demo\\.ts)' }),
      },
      to: { path: '^src/', pathNot: [`^src/${room}/`, ...may.map((to) => `^src/${to}${to.endsWith('.ts') ? '$' : '/'}`)] },
    })),
    {
      name: 'commands-that-start-servers',
      severity: 'error',
      from: { path: '^src/commands/(daemon/|chain/|demo\\.ts)' },
      to: { path: '^src/', pathNot: ['^src/commands/', ...rooms.commands.map((to) => `^src/${to}/`), ...servers] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
