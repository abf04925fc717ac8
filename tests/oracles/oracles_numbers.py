"""Oracles of the templates about numbers, texts, dates and grids: each reads the prompt alone."""

import datetime
import functools
import itertools
import math
import re
from collections import Counter, deque
from decimal import Decimal
from fractions import Fraction


def line_after(prompt, start):
    """What follows `start` on its line."""
    return next(line for line in prompt.split("\n") if line.startswith(start))[len(start) :].strip()


def integers(text):
    return [int(found) for found in re.findall(r"-?\d+", text)]


def shows(reply, pattern):
    """The groups of a reply that is exactly this."""
    found = re.fullmatch(pattern, reply.strip())
    if not found:
        raise ValueError(reply)
    return found.groups()


# Arithmetic


def decimal_chain_sum(prompt):
    terms = re.findall(r"^([+-]) (\S+)$", prompt, re.MULTILINE)
    total = sum(Decimal(value) * (1 if sign == "+" else -1) for sign, value in terms)
    return str(total), lambda reply: Decimal(reply) == total


def decimal_arithmetic(prompt):
    a, b, sign, c = re.search(r"(\S+) \* (\S+) ([+-]) (\S+)", prompt).groups()
    value = Decimal(a) * Decimal(b) + Decimal(sign + c)
    return str(value), lambda reply: Decimal(reply) == value


def decimal_division(prompt):
    a, b = map(Decimal, re.search(r"Divide (\d+) by (\d+)\.", prompt).groups())

    def right(reply):
        value = Fraction(reply)
        return abs(value - Fraction(a) / Fraction(b)) <= Fraction(1, 200)

    return f"{a / b:.2f}", right


def price_sum(prompt):
    total = sum(
        int(n) * Decimal(price)
        for n, price in re.findall(r"^(\d+) \S+ at (\S+) each$", prompt, re.MULTILINE)
    )
    change = Decimal(re.search(r"pays (\d+\.\d\d)", prompt).group(1)) - total
    return f"{total} / {change}"


def written(value, base):
    symbols = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while value:
        value, digit = divmod(value, base)
        text = symbols[digit] + text
    return text or "0"


def base_conversion(prompt):
    base, text, to = re.search(r"base-(\d+) number (\w+) to base (\d+)", prompt).groups()
    value, to = int(text, int(base)), int(to)
    return "0" + written(value, to), lambda reply: int(reply, to) == value


# Letters


def spell_backward(prompt):
    return prompt.split("\n")[1].strip()[::-1]


def caesar_cipher(prompt):
    shift = int(re.search(r"one (\d+) places", prompt).group(1))
    secret = prompt.split("\n")[2]
    return "".join(
        chr((ord(c) - ord("a") - shift) % 26 + ord("a")) if c.islower() else c for c in secret
    )


def letter_counting(prompt):
    text = line_after(prompt, "Text:")
    asked = re.search(r"in the text\? (.*)", prompt).group(1).split(", ")
    return "\n".join(f"{letter}: {text.count(letter)}" for letter in asked)


def palindrome(prompt):
    given = Counter(prompt.split("\n")[1].split())
    half = "".join(letter * (many // 2) for letter, many in sorted(given.items()))
    middle = "".join(letter for letter, many in given.items() if many % 2)

    def right(reply):
        reply = reply.strip()
        return reply == reply[::-1] and Counter(reply) == given

    return half + middle + half[::-1], right


def word_sorting(prompt):
    words = prompt.split("\n")[1].split(", ")
    return ", ".join(sorted(words, reverse="in descending" in prompt))


def number_sorting(prompt):
    numbers = integers(prompt.split("\n")[1])
    return ", ".join(map(str, sorted(numbers, reverse="in descending" in prompt)))


def number_filtering(prompt):
    verb, compare, bound = re.search(r"(\w+) all .* are at (least|most) (-?\d+):", prompt).groups()
    kept = []
    for number in integers(prompt.split("\n")[1]):
        meets = number >= int(bound) if compare == "least" else number <= int(bound)
        if meets == (verb == "Keep"):
            kept.append(number)
    return " ".join(map(str, kept))


def roman_numerals(prompt):
    symbols = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC")]
    symbols += [(50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]
    numerals = []
    for number in integers(prompt.split("\n")[1]):
        numeral = ""
        for value, symbol in symbols:
            numeral += symbol * (number // value)
            number %= value
        numerals.append(numeral)
    return ", ".join(numerals)


def digit_sums(prompt):
    return " ".join(str(sum(map(int, number))) for number in prompt.split("\n")[1].split())


def string_insertion(prompt):
    text = line_after(prompt, "Text:")
    letter, pattern = re.search(r"Insert (\w) after each occurrence of (\w+) in", prompt).groups()
    return re.sub(f"(?<={pattern})", letter, text)


def isomorphic_strings(prompt):
    first, second = prompt.split("\n")[-3:-1]
    pairs = set(zip(first, second, strict=True))
    same = len(pairs) == len(set(first)) == len(set(second))
    return str(same).lower()


def ransom_note(prompt):
    missing = Counter(line_after(prompt, "Note:")) - Counter(line_after(prompt, "Magazine:"))
    return str(not missing).lower()


# Times and dates


def time_intervals(prompt):
    times = re.findall(r"day (\d+) at (\d\d):(\d\d)", prompt)
    start, end = (
        datetime.timedelta(days=int(day), hours=int(hour), minutes=int(minute))
        for day, hour, minute in times
    )
    minutes = (end - start) // datetime.timedelta(minutes=1)

    def right(reply):
        hour, minute = shows(reply, r"(\d+):(\d+)")
        return int(hour) * 60 + int(minute) == minutes and int(minute) < 60

    return f"{minutes // 60}:{minutes % 60:02}", right


def time_addition(prompt):
    hour, minute = map(int, re.search(r"shows (\d\d):(\d\d)\.", prompt).groups())
    time = datetime.datetime(2000, 1, 20, hour, minute)
    for hours, minutes, way in re.findall(r"(\d+) hours and (\d+) minutes (\w+)", prompt):
        step = datetime.timedelta(hours=int(hours), minutes=int(minutes))
        time = time + step if way == "later" else time - step

    def right(reply):
        hour, minute = shows(reply, r"(\d+):(\d+)")
        return (int(hour), int(minute)) == (time.hour, time.minute)

    return time.strftime("%H:%M"), right


def dates(prompt):
    return [datetime.date.fromisoformat(found) for found in re.findall(r"\d{4}-\d\d-\d\d", prompt)]


def day_of_week(prompt):
    known, asked = dates(prompt)
    assert known.strftime("%A") in prompt
    return asked.strftime("%A")


def days_between(prompt):
    start, end = dates(prompt)
    return str((end - start).days)


def date_addition(prompt):
    start = dates(prompt)[0]
    days, way = re.search(r"(\d+) days (after|before)", prompt).groups()
    step = datetime.timedelta(days=int(days))
    date = start + step if way == "after" else start - step

    def right(reply):
        return tuple(map(int, shows(reply, r"(\d+)-(\d+)-(\d+)"))) == (date.year, date.month, date.day)

    return date.isoformat(), right


# Numbers


def gcd(prompt):
    return str(math.gcd(*integers(prompt)))


def lcm(prompt):
    return str(math.lcm(*integers(prompt)))


def prime(number):
    return number > 1 and all(number % d for d in range(2, math.isqrt(number) + 1))


def prime_factorization(prompt):
    number = int(re.search(r"Write (\d+) as", prompt).group(1))
    rest, factors = number, []
    for d in range(2, number + 1):
        while rest % d == 0:
            factors.append(d)
            rest //= d

    def right(reply):
        found = [int(factor) for factor in reply.split("*")]
        return math.prod(found) == number and all(map(prime, found))

    return " * ".join(map(str, reversed(factors))), right


def count_primes(prompt):
    start, end = integers(prompt)
    return str(sum(map(prime, range(start, end + 1))))


def count_bits(prompt):
    return str(integers(prompt)[0].bit_count())


def bitwise_arithmetic(prompt):
    value = int(re.search(r"Start with 0x(\w+)", prompt).group(1), 16)
    for operator, text in re.findall(r"^(AND|OR|XOR) 0x(\w+)$", prompt, re.MULTILINE):
        number = int(text, 16)
        value = {"AND": value & number, "OR": value | number, "XOR": value ^ number}[operator]
    return hex(value)


def fraction_simplification(prompt):
    above, below = map(int, re.search(r"fraction (\d+)/(\d+)", prompt).groups())
    value = Fraction(above, below)
    return f"{value.numerator}/{value.denominator}"


def products(prompt):
    return str(math.prod(integers(prompt)))


def simple_equations(prompt):
    name, equation = re.search(r"Solve for (\w): (.*)", prompt).groups()
    a, b, c, sign, d = re.fullmatch(
        rf"(\d+)\*{name} \+ (\d+) = (\d+)\*{name} ([+-]) (\d+)", equation
    ).groups()
    value = Fraction(int(sign + d) - int(b), int(a) - int(c))
    assert value.denominator == 1
    return str(value)


def dice(prompt):
    sides = integers(prompt.split("\n")[0].split(":")[1])
    target = int(re.search(r"least (\d+)\?", prompt).group(1))
    outcomes = list(itertools.product(*(range(1, side + 1) for side in sides))) if len(sides) < 3 else None
    if outcomes is None:
        counts = Counter([0])
        for side in sides:
            counts = Counter(
                {
                    total: sum(counts[total - shown] for shown in range(1, side + 1))
                    for total in range(sum(sides) + 1)
                }
            )
        ways = sum(many for total, many in counts.items() if total >= target)
    else:
        ways = sum(sum(outcome) >= target for outcome in outcomes)
    value = Fraction(ways, math.prod(sides))
    return f"{ways}/{math.prod(sides)}", lambda reply: Fraction(reply.replace(" ", "")) == value


def number_sequence(prompt):
    numbers = integers(prompt.split("\n")[1])
    rows = [numbers]
    while any(rows[-1]):
        rows.append([b - a for a, b in itertools.pairwise(rows[-1])])
    return str(sum(row[-1] for row in rows if row))


def leg_counting(prompt):
    legs = {"ant": 6, "bee": 6, "butterfly": 6, "beetle": 6, "spider": 8, "scorpion": 8, "crab": 10}
    legs |= {"lobster": 10, "cat": 4, "cow": 4, "elephant": 4, "frog": 4, "chicken": 2, "duck": 2}
    legs |= {"human": 2, "ostrich": 2, "snake": 0, "fish": 0}
    rows = re.findall(r"^(\w+): (\d+)$", prompt, re.MULTILINE)
    return str(sum(legs[animal] * int(many) for animal, many in rows))


def unit_prices(prompt):
    bought, paid, wanted = re.search(r"(\d+) \w+ cost (\S+)\. What do (\d+)", prompt).groups()
    value = Fraction(paid) * int(wanted) / int(bought)
    return f"{float(value):.2f}", lambda reply: Fraction(reply) == value


def coin_change(prompt):
    coins = integers(re.search(r"coins of (.*), as many", prompt).group(1))
    amount = int(re.search(r"exactly (\d+) with", prompt).group(1))
    ways = {0: []}
    turn = [0]
    while amount not in ways:
        after = []
        for total in turn:
            for coin in coins:
                if total + coin not in ways and total + coin <= amount:
                    ways[total + coin] = ways[total] + [coin]
                    after.append(total + coin)
        turn = after

    def right(reply):
        paid = [int(coin) for coin in reply.split()]
        return sum(paid) == amount and len(paid) == len(ways[amount]) and set(paid) <= set(coins)

    return " ".join(map(str, ways[amount])), right


def countdown(prompt):
    given = integers(re.search(r"any order: (.*)", prompt).group(1))
    target = int(re.search(r"must be (-?\d+)\.", prompt).group(1))
    apply = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}

    def search(now, left, steps):
        if not left:
            return steps if now == target else None
        for i, number in enumerate(left):
            for operator in "*-+":
                rest = left[:i] + left[i + 1 :]
                found = search(
                    apply[operator](now, number), rest, steps + [f"{operator} {number}"]
                )
                if found:
                    return found
        return None

    def right(reply):
        steps = [shows(line, r"([-+*]) (\d+)") for line in reply.strip().split("\n")]
        now = 0
        for operator, number in steps:
            now = apply[operator](now, int(number))
        return now == target and Counter(int(number) for _, number in steps) == Counter(given)

    return "\n".join(search(0, given, [])), right


def subset_sum(prompt):
    target = int(re.search(r"sum of (\d+):", prompt).group(1))
    given = integers(prompt.split("\n")[1])
    own = next(
        chosen
        for many in range(1, len(given) + 1)
        for chosen in itertools.combinations(given, many)
        if sum(chosen) == target
    )

    def right(reply):
        chosen = [int(number) for number in reply.split()]
        return sum(chosen) == target and not Counter(chosen) - Counter(given)

    return " ".join(map(str, reversed(own))), right


# Algebra


def terms_of(text):
    """A polynomial as {exponent: coefficient}."""
    terms = Counter()
    for sign, size, x, power in re.findall(r"([+-]?) ?(\d+)?\*?(x)?(?:\^(\d+))?", text):
        if size or x:
            terms[int(power or 1) if x else 0] += int(sign + (size or "1"))
    return terms


def polynomial_evaluation(prompt):
    text, point = re.search(r"value of (.*) for x = (-?\d+)\.", prompt).groups()
    return str(sum(many * int(point) ** power for power, many in terms_of(text).items()))


def polynomial_multiplication(prompt):
    left, right = map(terms_of, re.search(r"\((.*)\) \* \((.*)\)\.", prompt).groups())
    product = Counter()
    for (i, a), (j, b) in itertools.product(left.items(), right.items()):
        product[i + j] += a * b
    return " ".join(str(product[i]) for i in range(max(product), -1, -1))


def quadratic_equation(prompt):
    terms = terms_of(re.search(r"solutions of (.*) = 0", prompt).group(1))
    a, b, c = terms[2], terms[1], terms[0]
    root = math.isqrt(b * b - 4 * a * c)
    solutions = [Fraction(-b + root, 2 * a), Fraction(-b - root, 2 * a)]
    assert root * root == b * b - 4 * a * c
    return ", ".join(map(str, solutions)), lambda reply: sorted(
        int(x) for x in reply.split(",")
    ) == sorted(solutions)


def equation_system(prompt):
    a, b, p = map(int, re.search(r"(\d+)\*x \+ (\d+)\*y = (-?\d+)", prompt).groups())
    c, d, q = map(int, re.search(r"(\d+)\*x - (\d+)\*y = (-?\d+)", prompt).groups())
    x, y = Fraction(-d * p - b * q, -a * d - b * c), Fraction(a * q - c * p, -a * d - b * c)
    return f"x = {x}, y = {y}"


def complex_arithmetic(prompt):
    a, s, b, operator, c, t, d = re.search(
        r"\((-?\d+) ([+-]) (\d+)i\) ([-+*]) \((-?\d+) ([+-]) (\d+)i\)", prompt
    ).groups()
    left, right = complex(int(a), int(s + b)), complex(int(c), int(t + d))
    value = {"+": left + right, "-": left - right, "*": left * right}[operator]
    return f"{int(value.real)}, {int(value.imag)}"


def modular_exponentiation(prompt):
    return str(pow(*map(int, re.search(r"of (\d+)\^(\d+) divided by (\d+)", prompt).groups())))


def number_words(prompt):
    small = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    small = (small + " fifteen sixteen seventeen eighteen nineteen").split()
    tens = "twenty thirty forty fifty sixty seventy eighty ninety".split()
    total = part = 0
    for word in line_after(prompt, "Write this number in digits, without separators:").replace("-", " ").split():
        if word == "hundred":
            part *= 100
        elif word == "thousand":
            total, part = part * 1000, 0
        else:
            part += small.index(word) if word in small else 20 + 10 * tens.index(word)
    return str(total + part)


def matrix_multiplication(prompt):
    rows = [
        [int(cell) for cell in line.split()]
        for line in prompt.split("\n")
        if re.fullmatch(r"-?\d+( -?\d+)*", line.strip())
    ]
    left, right = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    columns = list(zip(*right, strict=True))
    return shown([[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in left])


def simple_geometry(prompt):
    sides = int(re.search(r"with (\d+) sides", prompt).group(1))
    angles = integers(prompt.split("\n")[1])
    assert len(angles) == sides - 1
    missing = 180 * (sides - 2) - sum(angles)
    assert 0 < missing < 180
    return str(missing)


def triangle_area(prompt):
    corners = re.findall(r"\((-?\d+), (-?\d+)\)", prompt)
    a, b, c = (complex(int(x), int(y)) for x, y in corners)
    area = Decimal(abs(((b - a).conjugate() * (c - a)).imag)) / 2
    return f"{area:.1f}", lambda reply: Decimal(reply) == area


def statistics(prompt):
    numbers = sorted(integers(line_after(prompt, "Numbers:")))
    mean = Fraction(sum(numbers), len(numbers))
    median, extent = numbers[len(numbers) // 2], numbers[-1] - numbers[0]

    def right(reply):
        a, b, c = reply.split(",")
        close = abs(Fraction(a.strip()) - mean) <= Fraction(1, 200)
        return close and (int(b), int(c)) == (median, extent)

    return f"{float(mean):.2f}, {median}, {extent}", right


def missing_number(prompt):
    given = set(integers(prompt.split("\n")[1]))
    return str(*(set(range(min(given), max(given))) - given))


def run_length_encoding(prompt):
    runs = itertools.groupby(prompt.split("\n")[1].strip())
    return "".join(f"{len(list(run))}{letter}" for letter, run in runs)


def longest_increasing_subsequence(prompt):
    given = integers(prompt.split("\n")[1])
    best = []  # the longest to each number, by all numbers before it
    for i, number in enumerate(given):
        before = [found for found in best if found[-1] < number]
        best.append(max(before, key=len, default=[]) + [number])
    own = max(reversed(best), key=len)

    def right(reply):
        found = [int(number) for number in reply.split()]
        rest = iter(given)
        return (
            len(found) == len(own)
            and all(a < b for a, b in itertools.pairwise(found))
            and all(number in rest for number in found)
        )

    return " ".join(map(str, own)), right


def combinatorics(prompt):
    k, n = map(int, re.search(r"choose (\d+) of (\d+) different", prompt).groups())
    again, order = "thing may be chosen" in prompt, "order matters" in prompt
    if order:
        return str(n**k if again else math.perm(n, k))
    return str(math.comb(n + k - 1 if again else n, k))


def needle_haystack(prompt):
    name = re.search(r"What is the number of (\S+)\?", prompt).group(1)
    return re.search(rf"The number of {name} is (\d+)\.", prompt).group(1)


def group_anagrams(prompt):
    given = prompt.split("\n")[1].split(", ")
    groups = {}
    for text in sorted(given):
        groups.setdefault("".join(sorted(text)), []).append(text)

    def right(reply):
        rows = [sorted(line.split()) for line in reply.strip().split("\n")]
        return sorted(rows) == sorted(groups.values())

    return "\n".join(" ".join(group) for group in groups.values()), right


def table_after(prompt, start, end):
    part = prompt[prompt.index(start) + len(start) : prompt.index(end)]
    return {key: int(value) for key, value in re.findall(r"^(\S+): (\d+)$", part, re.MULTILINE)}


def knapsack(prompt):
    weights = table_after(prompt, "Weights:", "Values:")
    values = table_after(prompt, "Values:", "Answer with")
    most = int(re.search(r"weight of at most (\d+) ", prompt).group(1))

    def weight(things):
        return sum(weights[thing] for thing in things)

    def value(things):
        return sum(values[thing] for thing in things)

    choices = [
        things
        for many in range(len(weights) + 1)
        for things in itertools.combinations(weights, many)
        if weight(things) <= most
    ]
    best = max(choices, key=value)

    def right(reply):
        things = reply.split()
        return (
            len(set(things)) == len(things)
            and weight(things) <= most
            and value(things) == value(best)
        )

    return " ".join(best), right


def determinant(prompt):
    rows, total = [integers(line) for line in prompt.split("\n")[1:4]], 0
    for order in itertools.permutations(range(3)):
        swaps = sum(order[i] > order[j] for i in range(3) for j in range(i + 1, 3))
        total += (-1) ** swaps * math.prod(rows[i][order[i]] for i in range(3))
    return str(total)


def percentages(prompt):
    if found := re.search(r"What is (\d+) % of (\d+)\?", prompt):
        percent, number = map(Decimal, found.groups())
        value = number * percent / 100
    else:
        found = re.search(r"What is (\d+) after an? (increase|reduction) of (\d+) %\?", prompt)
        number, percent = Decimal(found.group(1)), Decimal(found.group(3))
        value = number * (1 + (percent if found.group(2) == "increase" else -percent) / 100)
    return f"{value:.2f}", lambda reply: Decimal(reply) == value


def longest_common_subsequence(prompt):
    left, right = prompt.split("\n")[1:3]

    @functools.cache
    def longest(i, j):
        if i == len(left) or j == len(right):
            return ""
        found = [longest(i + 1, j), longest(i, j + 1)]
        if left[i] == right[j]:
            found.append(left[i] + longest(i + 1, j + 1))
        return max(found, key=len)

    def inside(part, text):
        rest = iter(text)
        return all(letter in rest for letter in part)

    own = longest(0, 0)
    return own, lambda reply: (
        len(reply.strip()) == len(own) and inside(reply.strip(), left) and inside(reply.strip(), right)
    )


def range_union(prompt):
    numbers = {n for start, end in rows_of(prompt) for n in range(start, end + 1)}
    ranges = []
    for n in sorted(numbers):
        if n - 1 in numbers:
            ranges[-1][1] = n
        else:
            ranges.append([n, n])

    def right(reply):
        return sorted(list(map(int, line.split())) for line in reply.strip().split("\n")) == ranges

    return shown(ranges[::-1]), right


def recurrence(prompt):
    start = integers(re.search(r"begins with (.*?)\.\s+Each", prompt).group(1))
    text = re.search(r"sum of (.*)", prompt, re.DOTALL).group(1)
    near, far, added, many = integers(text)
    for _ in range(many):
        start.append(near * start[-1] + far * start[-2] + added)
    return ", ".join(map(str, start[2:]))


def proportional_shares(prompt):
    amount, ratio = re.search(r"Divide (\S+) in the ratio (.*)\.", prompt).groups()
    ratio = [int(number) for number in ratio.split(":")]
    return " ".join(f"{Decimal(amount) * number / sum(ratio):.2f}" for number in ratio)


def number_format(prompt):
    values = [Decimal(line.replace(",", "")) for line in prompt.split("\n")[1:-1]]
    best = max(values) if "the largest?" in prompt else min(values)
    return f"{best:.2f}", lambda reply: Decimal(reply) == best


def josephus(prompt):
    circle, order = deque(prompt.split("\n")[1].split()), []
    step = int(re.search(r"from 1 to (\d+),", prompt).group(1))
    while circle:
        circle.rotate(-step)
        order.append(circle.pop())
    return " ".join(order)


def collatz(prompt):
    number, many = map(int, re.search(r"is (\d+)\. .* this many: (\d+)", prompt).groups())
    numbers = []
    for _ in range(many):
        number = 3 * number + 1 if number % 2 else number // 2
        numbers.append(number)
    return ", ".join(map(str, numbers))


# Grids


def rows_of(prompt):
    return [
        [int(cell) for cell in line.split()]
        for line in prompt.split("\n")
        if re.fullmatch(r"\d+( \d+)*", line.strip())
    ]


def shown(rows):
    return "\n".join(" ".join(map(str, row)) for row in rows)


def near(rows, y, x):
    for down, right in [(-1, 0), (1, 0), (0, -1), (0, 1)]:
        if 0 <= y + down < len(rows) and 0 <= x + right < len(rows[0]):
            yield y + down, x + right


def game_of_life(prompt):
    rows = rows_of(prompt)
    alive = {(y, x) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell}
    board = {(y, x) for y in range(len(rows)) for x in range(len(rows[0]))}
    for _ in range(int(re.search(r"generations: (\d+)", prompt).group(1))):
        counts = Counter(
            ((y + down) % len(rows), (x + right) % len(rows[0]))
            for y, x in alive
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
            if (down, right) != (0, 0)
        )
        alive = {
            cell for cell in board if counts[cell] == 3 or counts[cell] == 2 and cell in alive
        }
    return shown([[int((y, x) in alive) for x in range(len(rows[0]))] for y in range(len(rows))])


def rotate_matrix(prompt):
    rows = rows_of(prompt)
    for _ in range(int(re.search(r"matrix (\d+) degrees", prompt).group(1)) // 90):
        rows = [list(row) for row in zip(*rows[::-1], strict=True)]
    return shown(rows)


def spiral_matrix(prompt):
    rows, spiral = rows_of(prompt), []
    while rows:
        spiral += rows.pop(0)
        rows = [list(row) for row in zip(*rows, strict=True)][::-1]
    return " ".join(map(str, spiral))


def breadth_first(starts, rows, enters):
    steps = {start: 0 for start in starts}
    queue = deque(starts)
    while queue:
        here = queue.popleft()
        for y, x in near(rows, *here):
            if (y, x) not in steps and enters(rows[y][x]):
                steps[y, x] = steps[here] + 1
                queue.append((y, x))
    return steps


def cells_with(value, rows):
    return [(y, x) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell == value]


def binary_matrix(prompt):
    rows = rows_of(prompt)
    steps = breadth_first(cells_with(0, rows), rows, lambda cell: True)
    return shown([[steps[y, x] for x in range(len(rows[0]))] for y in range(len(rows))])


def rotten_oranges(prompt):
    rows = rows_of(prompt)
    minutes = int(re.search(r"pass: (\d+)", prompt).group(1))
    steps = breadth_first(cells_with(2, rows), rows, lambda cell: cell == 1)
    return shown(
        [
            [2 if steps.get((y, x), minutes + 1) <= minutes else cell for x, cell in enumerate(row)]
            for y, row in enumerate(rows)
        ]
    )


def island_sizes(prompt):
    rows = rows_of(prompt)
    land, sizes = set(cells_with(1, rows)), []
    while land:
        island = breadth_first([land.pop()], rows, lambda cell: cell == 1)
        sizes.append(len(island))
        land -= set(island)
    return " ".join(map(str, sorted(sizes))), lambda reply: sorted(
        int(size) for size in reply.split()
    ) == sorted(sizes)


def pool_matrix(prompt):
    rows = rows_of(prompt)
    pool = {"maximum": max, "minimum": min, "sum": sum, "average": lambda block: sum(block) // 4}
    pool = pool[re.search(r"by its (\w+):", prompt).group(1)]
    return shown(
        [
            [
                pool([rows[y][x], rows[y][x + 1], rows[y + 1][x], rows[y + 1][x + 1]])
                for x in range(0, len(rows[0]), 2)
            ]
            for y in range(0, len(rows), 2)
        ]
    )


def manipulate_matrix(prompt):
    rows = rows_of(prompt)
    columns = lambda rows: [list(row) for row in zip(*rows, strict=True)]
    steps = {
        "rotate it 90 degrees clockwise": lambda rows: columns(rows[::-1]),
        "rotate it 90 degrees counterclockwise": lambda rows: columns(rows)[::-1],
        "transpose it": columns,
        "write each row in reverse order": lambda rows: [row[::-1] for row in rows],
        "write the rows in reverse order": lambda rows: rows[::-1],
        "add 1 to each number": lambda rows: [[cell + 1 for cell in row] for row in rows],
    }
    for step in re.findall(r"^\d+\. (.*)$", prompt, re.MULTILINE):
        rows = steps[step](rows)
    return shown(rows)


ORACLES = {
    function.__name__: function
    for function in [
        decimal_chain_sum,
        decimal_arithmetic,
        decimal_division,
        price_sum,
        base_conversion,
        spell_backward,
        caesar_cipher,
        letter_counting,
        palindrome,
        word_sorting,
        number_sorting,
        number_filtering,
        roman_numerals,
        digit_sums,
        string_insertion,
        isomorphic_strings,
        ransom_note,
        time_intervals,
        time_addition,
        day_of_week,
        days_between,
        date_addition,
        gcd,
        lcm,
        prime_factorization,
        count_primes,
        count_bits,
        bitwise_arithmetic,
        fraction_simplification,
        products,
        simple_equations,
        polynomial_evaluation,
        dice,
        number_sequence,
        leg_counting,
        unit_prices,
        coin_change,
        countdown,
        subset_sum,
        game_of_life,
        rotate_matrix,
        spiral_matrix,
        binary_matrix,
        rotten_oranges,
        island_sizes,
        polynomial_multiplication,
        quadratic_equation,
        equation_system,
        complex_arithmetic,
        modular_exponentiation,
        number_words,
        matrix_multiplication,
        simple_geometry,
        triangle_area,
        statistics,
        missing_number,
        run_length_encoding,
        longest_increasing_subsequence,
        combinatorics,
        pool_matrix,
        manipulate_matrix,
        needle_haystack,
        group_anagrams,
        knapsack,
        determinant,
        percentages,
        longest_common_subsequence,
        range_union,
        recurrence,
        proportional_shares,
        number_format,
        josephus,
        collatz,
    ]
}
