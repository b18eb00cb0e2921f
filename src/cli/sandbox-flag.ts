import { Flags } from '@oclif/core';
import { sandboxLevels } from '../sandbox/sandbox.js';

export const sandboxFlag = Flags.option({ description: 'the weakest sandbox that is acceptable', options: sandboxLevels })();
