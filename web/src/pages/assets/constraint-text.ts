import type { Words } from '../../words.js';

/** "from a to b", "at least a", "at most b" of something that is counted. */
const counted =
  (between: (a: string, b: string) => string, atLeast: (a: string) => string, atMost: (b: string) => string) =>
  (least: string | undefined, most: string | undefined): string =>
    least === undefined ? atMost(most ?? '') : most === undefined ? atLeast(least) : between(least, most);

const en = {
  any: 'any value',
  exactly: (value: string) => `exactly ${value}`,
  oneOf: (values: string) => `one of ${values}`,
  atLeast: (value: string) => `at least ${value}`,
  atMost: (value: string) => `at most ${value}`,
  between: (least: string, most: string) => `from ${least} to ${most}`,
  moreThan: (value: string) => `more than ${value}`,
  lessThan: (value: string) => `less than ${value}`,
  multipleOf: (value: string) => `a multiple of ${value}`,
  length: counted(
    (a, b) => `${a} to ${b} characters`,
    (a) => `at least ${a} characters`,
    (b) => `at most ${b} characters`,
  ),
  entries: counted(
    (a, b) => `${a} to ${b} entries`,
    (a) => `at least ${a} entries`,
    (b) => `at most ${b} entries`,
  ),
  pattern: (value: string) => `in the form ${value}`,
  unique: 'no two alike',
  each: (of: string) => `each entry ${of}`,
  not: (of: string) => `not ${of}`,
  required: (names: string) => `with ${names}`,
  property: (name: string, of: string) => `${name}: ${of}`,
  noMore: 'nothing else',
  or: ', or ',
  and: ', and ',
  comma: ', ',
  types: {
    integer: 'a whole number',
    number: 'a number',
    string: 'text',
    boolean: 'true or false',
    array: 'a list',
    object: 'an object',
    null: 'null',
  },
};

export const constraintText: Words<typeof en> = {
  en,
  zh: {
    any: '任意值',
    exactly: (value: string) => `必须是 ${value}`,
    oneOf: (values: string) => `以下之一：${values}`,
    atLeast: (value: string) => `不小于 ${value}`,
    atMost: (value: string) => `不大于 ${value}`,
    between: (least: string, most: string) => `介于 ${least} 与 ${most} 之间`,
    moreThan: (value: string) => `大于 ${value}`,
    lessThan: (value: string) => `小于 ${value}`,
    multipleOf: (value: string) => `${value} 的倍数`,
    length: counted(
      (a, b) => `${a} 到 ${b} 个字符`,
      (a) => `至少 ${a} 个字符`,
      (b) => `至多 ${b} 个字符`,
    ),
    entries: counted(
      (a, b) => `${a} 到 ${b} 项`,
      (a) => `至少 ${a} 项`,
      (b) => `至多 ${b} 项`,
    ),
    pattern: (value: string) => `形如 ${value}`,
    unique: '各项互不相同',
    each: (of: string) => `每一项：${of}`,
    not: (of: string) => `不可为：${of}`,
    required: (names: string) => `须包含 ${names}`,
    property: (name: string, of: string) => `${name}：${of}`,
    noMore: '不得有其他内容',
    or: '，或 ',
    and: '，且 ',
    comma: '，',
    types: { integer: '整数', number: '数字', string: '文本', boolean: '真或假', array: '列表', object: '对象', null: '空值' },
  },
};

export type ConstraintText = (typeof constraintText)['zh'];
