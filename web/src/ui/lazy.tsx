import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Skeleton } from './basics.js';

/** A page that is loaded when it is opened. */
export function Lazy({ load }: { load: () => Promise<ComponentType> }) {
  const [page, setPage] = useState<{ Page: ComponentType } | { error: unknown }>();
  useEffect(() => {
    load().then(
      (Page) => setPage({ Page }),
      (error: unknown) => setPage({ error }),
    );
  }, []);
  if (page === undefined) return <Skeleton lines={6} />;
  if ('error' in page) throw page.error;
  return <page.Page />;
}
