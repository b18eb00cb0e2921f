import { readdirSync, readFileSync } from 'node:fs';

/** Watches the operators of joint jobs of this machine, and tells the highest resident memory that one of them ever had. */
export function watchOperatorMemory(): { stop(): number } {
  let peakKiB = 0;
  const look = (): void => {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
        // The interpreter itself, not the programs that built its sandbox, whose arguments end alike.
        if (!/node$/.test(command[0] ?? '') || !command.includes('operator/operator.mjs')) continue;
        peakKiB = Math.max(peakKiB, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0));
      } catch {
        // it has ended
      }
    }
  };
  const timer = setInterval(look, 200);
  return {
    stop: () => {
      clearInterval(timer);
      return peakKiB / 1024;
    },
  };
}
