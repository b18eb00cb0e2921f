import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Problem } from '../api/http.js';
import { useWords } from '../i18n.js';
import { common } from './common-text.js';
import { Icon, type IconName } from './icon.js';

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick?: () => void;
  readonly kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  readonly icon?: IconName;
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  readonly type?: 'button' | 'submit';
  readonly label?: string;
  /** Tells the buttons of one form apart. */
  readonly name?: string;
}

export function Button({
  children,
  onClick,
  kind = 'plain',
  icon,
  isBusy = false,
  isDisabled = false,
  type = 'button',
  label,
  name,
}: ButtonProps) {
  return (
    <button
      class={`button ${kind}`}
      type={type}
      name={name}
      disabled={isBusy || isDisabled}
      aria-busy={isBusy}
      aria-label={label}
      onClick={onClick}
    >
      {isBusy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} size={16} />}
      {children}
    </button>
  );
}

export function PageHead({ title, about, children }: { title: string; about?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <header class="page-head">
      <div>
        <h1 tabIndex={-1}>{title}</h1>
        {about !== undefined && <p class="muted">{about}</p>}
      </div>
      {children !== undefined && <div class="actions">{children}</div>}
    </header>
  );
}

interface CardProps {
  readonly title?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly class?: string;
}

export function Card({ title, children, actions, class: more = '' }: CardProps) {
  return (
    <section class={`card ${more}`}>
      {(title !== undefined || actions !== undefined) && (
        <div class="card-head">
          {title !== undefined && <h2>{title}</h2>}
          {actions}
        </div>
      )}
      {children}
    </section>
  );
}

export type Tone = 'good' | 'bad' | 'wait' | 'busy' | 'plain';

export function Badge({ tone = 'plain', children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={32} />
      <p class="empty-title">{title}</p>
      {children !== undefined && <div class="muted">{children}</div>}
    </div>
  );
}

/** Grey bars in the place of what is on its way. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  const text = useWords(common);
  return (
    <div class="skeleton" role="status" aria-label={text.loading}>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} class="bar" />
      ))}
    </div>
  );
}

/** Sentences of the daemon, in which commands stand between backticks. */
export function Sentence({ text }: { text: string }) {
  return <>{text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>;
}

export function ProblemView({ problem, onRetry }: { problem: Problem; onRetry?: (() => void) | undefined }) {
  const text = useWords(common);
  const isOffline = problem.code === 'DT_PAGE_OFFLINE';
  return (
    <div class="problem" role="alert">
      <p class="problem-title">
        <Sentence text={isOffline ? text.offline : problem.detail} />
      </p>
      <p>
        <Sentence text={isOffline ? text.offlineHint : problem.hint} />
      </p>
      <p class="problem-foot">
        <code>{problem.code}</code>
        {problem.requestId !== undefined && (
          <span class="muted">
            {text.requestId} {problem.requestId}
          </span>
        )}
        {onRetry && (
          <Button kind="quiet" icon="again" onClick={onRetry}>
            {text.retry}
          </Button>
        )}
      </p>
    </div>
  );
}

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children: JSX.Element;
}

/** A label around its control, so that a click on the words is one on the control. */
export function Field({ label, hint, children }: FieldProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label class="field">
      <span class="field-label">{label}</span>
      {children}
      {hint !== undefined && <span class="field-hint">{hint}</span>}
    </label>
  );
}

/** An id or digest: its ends, the whole in the tooltip and by one click in the clipboard. */
export function ShortId({ id, link }: { id: string; link?: string }) {
  const text = useWords(common);
  const [isCopied, setCopied] = useState(false);
  const word = id.replace(/^dt:ownership:/, '').replace(/^0x/, '');
  const shown = word.length <= 16 ? word : `${word.slice(0, 6)}…${word.slice(-4)}`;
  const copy = async (): Promise<void> => {
    await navigator.clipboard?.writeText(id);
    setCopied(true);
  };
  return (
    <span class="short-id">
      {link === undefined ? (
        <code title={id}>{shown}</code>
      ) : (
        <a href={link} title={id}>
          <code>{shown}</code>
        </a>
      )}
      <button
        type="button"
        class="copy"
        aria-label={`${isCopied ? text.copied : text.copy} ${shown}`}
        onClick={copy}
        onBlur={() => setCopied(false)}
      >
        <Icon name={isCopied ? 'check' : 'copy'} size={14} />
      </button>
    </span>
  );
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
export function bytes(size: number): string {
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
