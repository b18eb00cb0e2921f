import { words } from '../../i18n.js';

export const assetsText = words(
  {
    title: 'Assets',
    about: 'The data that this daemon holds. Rows never leave it, not even to this page.',
    none: 'No data yet.',
    noneAbout: 'Publish a data token with `dt asset dt --attr-file … --store-path …`.',
    token: 'Token',
    size: 'Size',
    since: 'Held since',
    path: 'File',
  },
  {
    title: '资产',
    about: '此守护进程持有的数据。数据行从不离开，也不会显示在此页面上。',
    none: '还没有数据。',
    noneAbout: '用 `dt asset dt --attr-file … --store-path …` 发布数据令牌。',
    token: '令牌',
    size: '大小',
    since: '持有自',
    path: '文件',
  },
);
