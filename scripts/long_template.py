"""Writes a template of about 1,000 lines to standard output, for timing `cookc check`.

    python3 scripts/long_template.py > long.cook
    python3 scripts/long_template.py 4000 > longer.cook

Parameters, functions, draws, loops and rules stand there many times, with real work: ranges that depend on
earlier parameters, functions that draw and compute, loops of every kind, rules over all of them.
"""

import sys

GROUP_LINES = 41


def group(at: int) -> str:
    before = f"length_{at - 1}" if at else "8"
    return f"""
/// How many words document {at} has.
param length_{at} in {before}..200 = {at % 40 + 60}
param quote_{at} in 1..length_{at} / 2 = 4

/// How many different words two lists share.
fn shared_{at}(xs: [T], ys: [T]) -> Int = count x in unique(xs): x in ys

/// Words of a list, and some of them again.
fn again_{at}(n: Int, xs: [Token]) ~> [Token] {{
  some ~ distinct(n, xs)
  all_of_them ~ shuffle(xs + some)
  return all_of_them
}}

document_{at} ~ distinct(length_{at}, vocab)
question_{at} ~ span(quote_{at}, document_{at})
mixed_{at} ~ again_{at}(quote_{at}, document_{at})
rows_{at} ~ repeat(3, distinct(quote_{at}, document_{at}))
kind_{at} ~ weighted(["long", "short"], [1, 3])
same_{at} ~ coin(0.5)
number_{at} ~ uniform(1..length_{at})
answer_{at} = around(2, question_{at}, document_{at})
before_{at} = before(question_{at}, document_{at})
size_{at} = size(answer_{at}) + number_{at} * 2 - 1
longest_{at} = max(for row in rows_{at}: size(row))
parity_{at} = if same_{at} then size_{at} % 2 else number_{at} / 3
depth_{at} = fold depth = 0, seen = [] over word in question_{at}:
    if word in seen then depth else depth + 1, seen + [word]
places_{at} = for word in question_{at}: position(word, document_{at})
total_{at} = sum(places_{at}) + depth_{at} + longest_{at} + parity_{at}

rule verbatim_{at}: answer_{at} within document_{at}
rule on_point_{at}: question_{at} within answer_{at}
rule known_{at}: all word in mixed_{at}: word in document_{at}
rule shared_{at}: shared_{at}(answer_{at}, question_{at}) == size(unique(question_{at}))
rule total_{at}: total_{at} >= sum(places_{at}) and any place in places_{at}: place >= 0
rule rows_{at}: all row in rows_{at}: size(row) == quote_{at} and not (size(before_{at}) < 0)
"""


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    groups = -(-lines // GROUP_LINES)
    out = "/// A long template, for timing.\n"
    out += "".join(group(at) for at in range(groups))
    hard = ",\n  ".join(f"quote_{at} = 2" for at in range(groups))
    out += f"\nlevel hard:\n  {hard}\n\nprompt \"\"\"\n"
    for at in range(groups):
        out += f"  {at}: {{document_{at}}} {{question_{at}}} {{mixed_{at}}} {{kind_{at}}}\n"
        out += f"  {{rows_{at}}} {{number_{at}}} {{same_{at}}}\n"
    out += "  \"\"\"\n\nreply \""
    out += "; ".join(f"{{answer_{at}}} | {{total_{at}}}" for at in range(groups)) + "\"\n"
    sys.stdout.write(out)


if __name__ == "__main__":
    main()
