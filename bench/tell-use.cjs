// Required before a program that is measured: on its last line it says the most memory that it held, in KiB, and its processor time, in microseconds.
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stderr.write(`used ${maxRSS} ${userCPUTime + systemCPUTime}`);
});
