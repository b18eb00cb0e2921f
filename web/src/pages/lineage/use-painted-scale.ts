import { useEffect, useState } from 'preact/hooks';

const REST_MS = 120;
/** Enlarged by more than this, what was painted cannot be looked at. */
const MOST = 2;

/** The scale at which the picture is painted: while the scale moves, it stays and the browser enlarges what it has; when it rests, it follows. */
export function usePaintedScale(scale: number): number {
  const [painted, setPainted] = useState(scale);
  const isBeyond = scale > painted * MOST || scale < painted / MOST;
  useEffect(() => {
    if (scale === painted) return;
    if (isBeyond) return setPainted(scale);
    const rest = setTimeout(() => setPainted(scale), REST_MS);
    return () => clearTimeout(rest);
  }, [scale, painted, isBeyond]);
  return isBeyond ? scale : painted;
}
