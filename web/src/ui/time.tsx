import { useApp } from '../app.js';

// Made once: to make one takes longer than to draw a row.
const formatsOf = (locale: string) => ({
  time: new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }),
  date: new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' }),
  full: new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeStyle: 'medium' }),
});
const formats = { en: formatsOf('en-GB'), zh: formatsOf('zh-CN') } as const;

export function Time({ at }: { at: string | number }) {
  const { language } = useApp();
  const { time, date, full } = formats[language.value];
  const when = new Date(at);
  const isToday = when.toDateString() === new Date().toDateString();
  return (
    <time dateTime={when.toISOString()} title={full.format(when)}>
      {(isToday ? time : date).format(when)}
    </time>
  );
}
