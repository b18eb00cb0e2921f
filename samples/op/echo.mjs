/** The smallest job there is, for benchmarks: writes its one parameter, `message`, to outputs/echo.json. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const { message } = JSON.parse(readFileSync(process.argv[process.argv.indexOf('--config') + 1], 'utf8'));
if (message === undefined) {
  console.error('bad input: parameter message is missing');
  process.exit(2);
}
mkdirSync('outputs', { recursive: true });
writeFileSync('outputs/echo.json', `${JSON.stringify({ operator: 'echo', message })}\n`);
console.log('wrote outputs/echo.json');
