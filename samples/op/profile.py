"""Data profile in Python 3.9 or newer, standard library only: the twin of profile.mjs, whose header has the parameters, the outputs and the reasons
for each rule. Both write the same bytes for the same input.

    python3 profile.py --config args.json        exit 0 done, 2 bad data or parameters, 1 a bug of this file
"""
import json
import math
import os
import re
import sys
import traceback
from array import array
from bisect import bisect_left, bisect_right
from decimal import ROUND_HALF_UP, Context, Decimal

ROW_LIMIT = 1 << 20
COLUMN_LIMIT = 1000
DISTINCT_LIMIT = 1000
GROUP_LIMIT = 20
NAME_LIMIT = 100
MOST_BINS = 10
PERCENTS = (1, 5, 10, 25, 50, 75, 90, 95, 99)
LARGEST = 1e150
# A list of Python numbers for sorting takes four times the room of the array that it comes from.
MEMORY_FOR_VALUES = 96 * 1024 * 1024
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE | re.ASCII)
MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"}


class BadInput(Exception):
    """The data or the parameters are not what they must be. Messages name columns and lines, never the content of a cell."""


# ---- parameters ----


def read_parameters():
    try:
        with open(sys.argv[sys.argv.index("--config") + 1], encoding="utf-8") as file:
            given = json.load(file)
    except (ValueError, IndexError, OSError) as error:
        raise BadInput(f"the parameters (--config args.json) cannot be read: {type(error).__name__}") from error
    is_name = lambda value: isinstance(value, str) and value != ""
    is_list = lambda value: isinstance(value, list) and value and all(map(is_name, value)) and len(set(value)) == len(value)
    is_path = lambda value: isinstance(value, str) and re.fullmatch(r"\./inputs/[^/\\]+", value)
    from_to = lambda low, high: lambda value: type(value) in (int, float) and value == int(value) and low <= value <= high
    shape = {
        "inputs": {"data": (is_path, "a path like ./inputs/data.csv")},
        "columns": {
            "id": (lambda value: value is None or is_name(value), "the name of a column, or null"),
            "include": (lambda value: value == "all" or is_list(value), '"all", or a list of different column names'),
        },
        "privacy": {
            "min_rows": (from_to(30, 10**9), "a whole number from 30 to 1000000000"),
            "min_group": (from_to(5, 10**9), "a whole number from 5 to 1000000000"),
        },
    }

    def check(wanted, value, name):
        if isinstance(wanted, tuple):
            if not wanted[0](value):
                raise BadInput(f"parameter {name} must be {wanted[1]}")
            return
        if not isinstance(value, dict):
            raise BadInput(f"{f'parameter {name[:-1]}' if name else 'the parameters'} must be an object")
        for key in value:
            if key not in wanted:
                raise BadInput(f"there is no parameter {name}{key}")
        for key in wanted:
            if key not in value:
                raise BadInput(f"parameter {name}{key} is missing")
            check(wanted[key], value[key], name + key if isinstance(wanted[key], tuple) else f"{name}{key}.")

    check(shape, given, "")
    return given


# ---- CSV (RFC 4180): the rules of profile.mjs ----


def read_records(path):
    """Yields the line on which each record starts, and its fields."""
    try:
        file = open(path, "rb")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    with file:
        line = 0

        def read_line():
            raw = file.readline(ROW_LIMIT + 1)
            if len(raw) > ROW_LIMIT:
                raise BadInput(f"line {line} is longer than {ROW_LIMIT} characters, or a quote is not closed")
            try:
                return raw.decode("utf-8-sig" if line == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise BadInput(f"{path} is not UTF-8 text") from error

        while True:
            line += 1
            start = line
            record = read_line()
            if record == "":
                return
            quotes = record.count('"')
            while quotes % 2 == 1:
                line += 1
                more = read_line()
                if more == "":
                    raise BadInput(f"line {start}: a quote is not closed")
                if len(record) + len(more) > ROW_LIMIT:
                    raise BadInput(f"line {start} is longer than {ROW_LIMIT} characters, or a quote is not closed")
                record += more
                quotes += more.count('"')
            record = record.removesuffix("\n").removesuffix("\r")
            if record != "":
                yield start, quoted_fields(record, start) if quotes else plain_fields(record, start)


def plain_fields(record, line):
    if "\r" in record:
        raise BadInput(f"line {line}: a carriage return without a line feed")
    return record.split(",")


def quoted_fields(record, line):
    fields, at = [], 0
    while True:
        if record[at : at + 1] != '"':
            comma = record.find(",", at)
            plain = record[at:] if comma < 0 else record[at:comma]
            if '"' in plain:
                raise BadInput(f"line {line}: a quote inside a field that does not start with one")
            fields += plain_fields(plain, line)
            if comma < 0:
                return fields
            at = comma + 1
            continue
        value, at = "", at + 1
        while True:
            quote = record.index('"', at)
            value += record[at:quote]
            at = quote + 1
            if record[at : at + 1] != '"':
                break
            value, at = value + '"', at + 1
        fields.append(value)
        if at == len(record):
            return fields
        if record[at] != ",":
            raise BadInput(f"line {line}: text after a closing quote")
        at += 1


def open_csv(path):
    records = read_records(path)
    _, header = next(records, (0, None))
    if header is None:
        raise BadInput(f"{path} is empty")
    names = [name.strip(" \t") for name in header]
    if len(names) > COLUMN_LIMIT:
        raise BadInput(f"{path} has {len(names)} columns, more than {COLUMN_LIMIT}")
    for i, name in enumerate(names):
        if name == "":
            raise BadInput(f"column {i + 1} has no name in the header")
        if re.search(r"[\x00-\x1f\x7f-\x9f]", name):
            raise BadInput(f"the name of column {i + 1} holds a control character")
        if names.index(name) != i:
            raise BadInput(f"two columns are called {name}")

    def rows():
        for line, fields in records:
            if len(fields) != len(names):
                raise BadInput(f"line {line} has {len(fields)} fields, the header has {len(names)}")
            yield line, fields

    return names, rows()


def column_index(names, name):
    if name not in names:
        raise BadInput(f"there is no column {name}; the file has {', '.join(names)}")
    return names.index(name)


# ---- numbers as JavaScript rounds and writes them ----


def significant(value, digits):
    return float(Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal(Decimal(value)))


def on_grid(value, spread, digits, rounding=lambda value: math.floor(value + 0.5)):
    if not spread > 0:
        return significant(value, 6)
    exponent = int(f"{spread:.16e}".split("e")[1]) - digits
    power = float(f"1e{abs(exponent)}")
    return significant(rounding(value * power) / power if exponent < 0 else rounding(value / power) * power, 10)


def number_text(value):
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text, point = "".join(map(str, digits)), len(digits) + exponent
    if -6 < point <= 21:
        text = f"0.{'0' * -point}{text}" if point <= 0 else f"{text[:point].ljust(point, '0')}.{text[point:]}".rstrip(".")
    else:
        text = f"{text[0]}{'.' + text[1:] if len(text) > 1 else ''}e{point - 1:+d}"
    return "-" * sign + text


def json_text(value, indent="\n"):
    inner = indent + "  "
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, dict):
        members = [f"{inner}{json_text(key)}: {json_text(item, inner)}" for key, item in value.items()]
        return "{" + ",".join(members) + indent + "}" if members else "{}"
    if isinstance(value, list):
        return "[" + ",".join(inner + json_text(item, inner) for item in value) + indent + "]" if value else "[]"
    return json.dumps(value, ensure_ascii=False)


utf16_units = lambda text: len(text.encode("utf-16-le")) // 2

# ---- the profile ----


class Column:
    def __init__(self, name, at, is_id):
        self.name, self.at, self.is_id = name, at, is_id
        self.numbers = self.texts = self.infinite = self.first_infinite = 0
        self.counts = {}

    @property
    def filled(self):
        return self.numbers + self.texts + self.infinite

    @property
    def numeric(self):
        return self.numbers > 0 and self.texts == 0 and not self.is_id


def scan(path, id_name, include):
    names, rows = open_csv(path)
    chosen = range(len(names)) if include == "all" else [column_index(names, name) for name in include]
    if id_name is not None:
        column_index(names, id_name)
    columns = [Column(names[at], at, names[at] == id_name) for at in chosen]
    count = 0
    for line, fields in rows:
        count += 1
        for column in columns:
            cell = fields[column.at].strip(" \t")
            if NUMBER.fullmatch(cell):
                column.numbers += 1
            elif cell in MISSING:
                continue
            elif INFINITE.fullmatch(cell):
                column.infinite += 1
                column.first_infinite = column.first_infinite or line
            else:
                column.texts += 1
            counts = column.counts
            if counts is None:
                continue
            if cell in counts:
                counts[cell] += 1
            elif len(counts) == DISTINCT_LIMIT:
                column.counts = None
            else:
                counts[cell] = 1
    return count, columns


def number_columns(path, columns, rows):
    at_once = max(1, MEMORY_FOR_VALUES // 8 // rows)
    for start in range(0, len(columns), at_once):
        batch = [(column, array("d")) for column in columns[start : start + at_once]]
        for line, fields in open_csv(path)[1]:
            for column, values in batch:
                cell = fields[column.at].strip(" \t")
                if not NUMBER.fullmatch(cell):
                    continue
                value = float(cell)
                if abs(value) > LARGEST:
                    raise BadInput(f"line {line}, column {column.name}: a number that is too large")
                values.append(value)
        while batch:
            column, values = batch.pop(0)
            yield column, sorted(values)
        print(f"profiled {min(start + at_once, len(columns))} of {len(columns)} columns of numbers", flush=True)


def withhold(parts, hidden, k):
    listed = [part for part in parts if part["count"] >= k]
    away = [count for count in [*hidden, *(part["count"] for part in parts if part["count"] < k)] if count > 0]
    while away and listed and (len(away) < 2 or sum(away) < k):
        least = min(range(len(listed)), key=lambda i: (listed[i]["count"], -i))
        away.append(listed.pop(least)["count"])
    return listed, sum(away)


def group_facts(groups, untold, k):
    """Groups come as (value, count) in the order in which equal counts are listed."""
    ordered = [{"value": value, "count": count} for value, count in sorted(groups, key=lambda group: -group[1])]
    listed, other = withhold(ordered[:GROUP_LIMIT], [part["count"] for part in ordered[GROUP_LIMIT:]] + [untold], k)
    return {"groups": listed, "other": other}


def histogram_facts(values, smooth, outermost, spread, untold, k):
    if not spread > 0:
        return {}
    low = on_grid(smooth[outermost], spread, 2, math.floor)
    high = on_grid(smooth[-1 - outermost], spread, 2, math.ceil)
    bins = min(MOST_BINS, max(1, (len(values) + untold) // (4 * k)))
    edges = [*(significant(low + (high - low) * i / bins, 10) for i in range(bins)), high]
    cuts = [bisect_left(values, edge) for edge in edges[:-1]] + [bisect_right(values, high)]
    parts = [{"from": edges[i], "to": edges[i + 1], "count": cuts[i + 1] - cuts[i]} for i in range(bins)]
    listed, other = withhold(parts, [cuts[0], len(values) - cuts[-1], untold], k)
    return {"histogram": listed, "other": other}


def number_facts(values, distinct, untold, k):
    n = len(values)
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) * (value - mean) for value in values)
    absolute = math.fsum(map(abs, values))
    low, high = values[0], values[-1]
    loud = max(abs(low), abs(high)) * 2 > absolute
    far = max((low - mean) * (low - mean), (high - mean) * (high - mean)) * 2 > squares
    smooth = []
    for percent in PERCENTS:
        rank = (n - 1) * percent / 100
        start = math.floor(rank - (k - 1) / 2 + 0.5)
        smooth.append(None if rank < k or n - 1 - rank < k else math.fsum(values[start : start + k]) / k)
    outermost = next((i for i, value in enumerate(smooth) if value is not None), None)
    spread = 0 if outermost is None else smooth[-1 - outermost] - smooth[outermost]
    facts = {
        "mean": None if loud else on_grid(mean, spread, 4),
        "sd": None if n < 2 or (far and squares > 0) else significant(math.sqrt(squares / (n - 1)), 6),
        "quantiles": {f"p{p}": None if smooth[i] is None else on_grid(smooth[i], spread, 2) for i, p in enumerate(PERCENTS)},
    }
    if distinct > GROUP_LIMIT:
        return facts | histogram_facts(values, smooth, outermost, spread, untold, k)
    cuts, groups = 0, []
    while cuts < n:
        end = bisect_right(values, values[cuts])
        groups.append((number_text(values[cuts]), end - cuts))
        cuts = end
    return facts | group_facts(groups, untold, k)


def profile_of(rows, column, k, values=None):
    count = column.filled if values is None else len(values)
    missing = rows - count
    told = all(n == 0 or n >= k for n in (count, missing))
    kind = "empty" if count == 0 else "text"
    if values is not None:
        kind = "integer" if all(map(float.is_integer, values)) else "number"
    facts = {"name": column.name, "type": "identifier" if column.is_id else kind}
    facts |= {"count": count if told else None, "missing": missing if told else None}
    facts |= dict.fromkeys(("distinct", "distinct_capped", "mean", "sd", "quantiles", "histogram", "groups", "other"))
    if count < k:
        return facts
    if values is not None:
        distinct = 1
        for i in range(1, count):
            distinct += values[i] != values[i - 1]
            if distinct > DISTINCT_LIMIT:
                break
    else:
        distinct = DISTINCT_LIMIT + 1 if column.counts is None else len(column.counts)
    facts |= {"distinct": min(distinct, DISTINCT_LIMIT), "distinct_capped": distinct > DISTINCT_LIMIT}
    untold = 0 if told else missing
    if column.is_id:
        return facts
    if values is not None:
        return facts | number_facts(values, distinct, untold, k)
    if column.counts is not None and all(utf16_units(value) <= NAME_LIMIT for value in column.counts):
        in_order = sorted(column.counts.items(), key=lambda group: group[0].encode("utf-16-be"))
        return facts | group_facts(in_order, untold, k)
    return facts


def text_of(result):
    columns, k = result["columns"], int(result["privacy"]["min_group"])
    wide = max([12, *(utf16_units(column["name"]) for column in columns)])
    pad = lambda name: name + " " * (wide - utf16_units(name))

    def show(value):
        text = value if isinstance(value, str) else "-" if value is None else number_text(value)
        return " " + text.rjust(12)

    def line(column):
        quantiles = column["quantiles"] or {}
        distinct = f">{column['distinct']}" if column["distinct_capped"] else column["distinct"]
        cells = [column["count"], column["missing"], distinct, column["mean"], column["sd"]]
        cells += [quantiles.get(name) for name in ("p5", "p50", "p95")]
        return f"{pad(column['name'])} {column['type'].ljust(10)}{''.join(map(show, cells))}"

    def parts(column):
        if column["groups"] is not None:
            listed = [f"{json_text(group['value'])} {group['count']}" for group in column["groups"]]
        elif column["histogram"] is not None:
            listed = [f"{number_text(one['from'])}..{number_text(one['to'])} {one['count']}" for one in column["histogram"]]
        else:
            return []
        rest = [f"other {column['other']}"] if column["other"] > 0 else []
        return [f"{column['name']}: {', '.join(listed + rest)}"]

    head = "".join(map(show, ("count", "missing", "distinct", "mean", "sd", "p5", "p50", "p95")))
    return [
        f"Data profile of {result['rows']} rows; no figure is of fewer than {k} rows, - is withheld or does not apply",
        "",
        f"{pad('column')} {'type'.ljust(10)}{head}",
        *map(line, columns),
        "",
        *(row for column in columns for row in parts(column)),
    ]


def main():
    parameters = read_parameters()
    path, wanted, privacy = parameters["inputs"]["data"], parameters["columns"], parameters["privacy"]
    k = int(privacy["min_group"])
    count, columns = scan(path, wanted["id"], wanted["include"])
    if count < privacy["min_rows"]:
        raise BadInput(f"the data has {count} rows, fewer than min_rows {number_text(privacy['min_rows'])}")
    print(f"read {count} rows; {len(columns)} columns", flush=True)
    numeric = [column for column in columns if column.numeric]
    for column in numeric:
        if column.infinite:
            raise BadInput(f"line {column.first_infinite}, column {column.name}: an infinite value")
    facts = {column.at: profile_of(count, column, k, values) for column, values in number_columns(path, numeric, count)}
    profiles = [facts.get(column.at) or profile_of(count, column, k) for column in columns]
    result = {"operator": "profile", "version": 1, "rows": count, "columns": profiles, "privacy": privacy}
    os.makedirs("outputs", exist_ok=True)
    for name, text in (("json", json_text(result)), ("txt", "\n".join(text_of(result)))):
        with open(f"outputs/profile.{name}", "w", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")
    print("wrote outputs/profile.json and outputs/profile.txt")


if __name__ == "__main__":
    try:
        main()
    except BadInput as error:
        print(f"bad input: {error}", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        traceback.print_exc()
        print(f"internal error: {error}", file=sys.stderr)
        sys.exit(1)
