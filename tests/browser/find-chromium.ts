import { existsSync } from 'node:fs';

const places = [process.env['DT_CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser of the machine; none is downloaded. */
export const findChromium = (): string | undefined => places.find((path) => path !== '' && existsSync(path));
