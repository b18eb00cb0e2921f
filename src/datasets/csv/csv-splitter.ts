export interface CsvRecord {
  /** Counted from 1, the line on which the record starts. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** A record may span lines, and a quote that is never closed would take in the rest of the file. */
const maxRecordChars = 1 << 20;

/** Splits text that arrives in pieces into the records of RFC 4180. Blank lines do not count. What is not CSV goes to `refuse`. */
export class CsvSplitter {
  readonly #refuse: (line: number, reason: string) => never;
  #text = '';
  /** Up to where #text has been searched, and whether that place is inside of quotes. */
  #searched = 0;
  #quoted = false;
  #line = 1;
  #nextLine = 1;

  constructor(refuse: (line: number, reason: string) => never) {
    this.#refuse = refuse;
  }

  /** The records that are complete with this piece. */
  push(piece: string): readonly CsvRecord[] {
    this.#text += piece;
    const records: CsvRecord[] = [];
    let start = 0;
    for (;;) {
      const end = this.#text.indexOf('\n', this.#searched);
      const stretch = this.#text.slice(this.#searched, end < 0 ? undefined : end);
      if (countQuotes(stretch) % 2 === 1) this.#quoted = !this.#quoted;
      this.#searched = end < 0 ? this.#text.length : end + 1;
      if (this.#searched - start > maxRecordChars)
        this.#refuse(this.#line, `the record is longer than ${maxRecordChars} characters, or a quote is not closed`);
      if (end < 0) break;
      this.#nextLine += 1;
      if (this.#quoted) continue;
      this.#add(records, this.#text.slice(start, end));
      start = end + 1;
    }
    this.#text = this.#text.slice(start);
    this.#searched -= start;
    return records;
  }

  /** The last records: the last line need not end with a line break. */
  end(piece: string): readonly CsvRecord[] {
    const records = [...this.push(piece)];
    if (this.#quoted) this.#refuse(this.#line, 'a quote is not closed');
    this.#add(records, this.#text);
    return records;
  }

  #add(records: CsvRecord[], raw: string): void {
    const line = this.#line;
    this.#line = this.#nextLine;
    const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (text !== '')
      records.push({ line, fields: text.includes('"') ? this.#quotedFields(text, line) : this.#plain(text, line).split(',') });
  }

  #plain(text: string, line: number): string {
    if (text.includes('\r')) this.#refuse(line, 'a carriage return without a line feed');
    return text;
  }

  #quotedFields(text: string, line: number): readonly string[] {
    const fields: string[] = [];
    let at = 0;
    for (;;) {
      // A whole quoted field with its doubled quotes, or a plain one up to the next comma.
      const matched = /"([^"]*(?:""[^"]*)*)"|[^,"]*/y;
      matched.lastIndex = at;
      const [whole = '', inner] = matched.exec(text) ?? [];
      fields.push(inner === undefined ? this.#plain(whole, line) : inner.replaceAll('""', '"'));
      at += whole.length;
      if (at === text.length) return fields;
      if (text[at] !== ',') this.#refuse(line, 'a quote in the middle of a field');
      at += 1;
    }
  }
}

function countQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count += 1;
  return count;
}
