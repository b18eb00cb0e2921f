import fc from 'fast-check';

/** In CI the property tests draw the same values each time, so that a run says something about the change alone; elsewhere they explore. */
if (process.env['CI'] !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_261_121 });
