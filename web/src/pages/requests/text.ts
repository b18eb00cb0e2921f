import { words } from '../../i18n.js';

export const requestsText = words(
  {
    title: 'Requests',
    about: 'What waits for your decision before it runs, or before its results leave.',
    none: 'Nothing waits for you.',
    noneAbout: 'Assets whose document asks for approval, or holds outputs, bring their jobs here.',
  },
  {
    title: '请求',
    about: '等待您决定的事项：运行之前，或结果离开之前。',
    none: '没有等待您处理的事项。',
    noneAbout: '若资产文档要求批准或扣留输出，其作业会出现在这里。',
  },
);
