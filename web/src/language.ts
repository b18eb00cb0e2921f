export const languages = { en: 'English', zh: '中文' } as const;
export type Language = keyof typeof languages;

export const firstLanguage = (): Language => (navigator.languages.find((tag) => /^(zh|en)\b/.test(tag))?.startsWith('zh') ? 'zh' : 'en');
