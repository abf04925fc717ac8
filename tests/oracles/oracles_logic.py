"""Oracles of the templates of logic, graphs, memory and puzzles: each reads the prompt alone."""

import itertools
import re

from oracle import Oracle, exactly


def among(answers) -> Oracle:
    """These replies are right, and no others."""
    answers = list(answers)
    forms = {" ".join(answer.split()) for answer in answers}
    return Oracle(lambda reply: " ".join(reply.split()) in forms, answers[:3])


def knights_knaves(prompt: str) -> Oracle:
    said = re.findall(r"^(\w+) says: (.*)\.$", prompt, re.M)
    names = [name for name, _ in said]

    def true(claim: str, knight: dict) -> bool:
        about = [knight[w] for w in re.findall(r"\w+", claim) if w in knight]
        if "different" in claim:
            return about[0] != about[1]
        if "same" in claim:
            return about[0] == about[1]
        kind = [k if "knight" in claim else not k for k in about]
        return any(kind) if "At least" in claim else all(kind)

    right = []
    for kinds in itertools.product([True, False], repeat=len(names)):
        knight = dict(zip(names, kinds))
        if all(true(claim, knight) == knight[name] for name, claim in said):
            right.append("\n".join(f"{n}: {'knight' if knight[n] else 'knave'}" for n in names))
    return among(right)


def literals(text: str) -> list:
    return [(letter, not negated) for negated, letter in re.findall(r"(not )?\b([A-Z])\b", text)]


def formula(text: str):
    (a, p), (b, q) = literals(text)
    if text.startswith("if"):
        return lambda world: world[a] != p or world[b] == q
    return lambda world: world[a] == p or world[b] == q


def propositional_logic(prompt: str) -> Oracle:
    above, below = prompt.split("Which one")
    facts = [formula(line) for line in above.splitlines()[1:]]
    options = dict(re.findall(r"^([A-D])\. (.*)$", below, re.M))
    names = sorted(set(re.findall(r"\b[A-Z]\b", above.split("\n", 1)[1])))
    worlds = [dict(zip(names, w)) for w in itertools.product([True, False], repeat=len(names))]
    worlds = [world for world in worlds if all(fact(world) for fact in facts)]
    follow = [label for label, text in options.items() if all(map(formula(text), worlds))]
    assert len(follow) == 1, follow
    return exactly(follow[0])


def syllogism(prompt: str) -> Oracle:
    """A conclusion follows if no way for kinds of things to exist refutes it."""
    texts = re.findall(r"\b(All|No|Some) (\w+) are (not )?(\w+)\.", prompt)
    names = sorted({name for _, x, _, y in texts for name in (x, y)})
    kinds = list(itertools.product([False, True], repeat=len(names)))

    def masks(text):
        word, x, negated, y = text
        i, j = names.index(x), names.index(y)
        both = sum(1 << k for k, kind in enumerate(kinds) if kind[i] and kind[j])
        only = sum(1 << k for k, kind in enumerate(kinds) if kind[i] and not kind[j])
        if word == "Some":
            return (only if negated else both), True
        return (only if word == "All" else both), False

    *premises, conclusion = map(masks, texts)
    true = lambda world, statement: bool(world & statement[0]) == statement[1]
    # A world that refutes needs at most one kind of thing for each statement.
    some = [m for m, exists in premises if exists]
    some += [] if conclusion[1] else [conclusion[0]]
    choices = [[1 << k for k in range(len(kinds)) if m >> k & 1] for m in some]
    for chosen in itertools.product(*choices):
        world = 0
        for bit in chosen:
            world |= bit
        if all(true(world, p) for p in premises) and not true(world, conclusion):
            return exactly("no")
    return exactly("yes")


def course_schedule(prompt: str) -> Oracle:
    needs = re.findall(r"^(\w+) needs (\w+) first\.$", prompt, re.M)
    left = {name for pair in needs for name in pair}
    while True:
        free = {name for name in left if not any(a == name and b in left for a, b in needs)}
        if not free:
            return exactly("no" if left else "yes")
        left -= free


def topological_sort(prompt: str) -> Oracle:
    names = re.search(r"^Courses: (.*)$", prompt, re.M)[1].split()
    needs = re.findall(r"^(\w+) needs (\w+)$", prompt, re.M)

    def accepts(reply: str) -> bool:
        order = reply.split()
        return sorted(order) == sorted(names) and all(
            order.index(b) < order.index(a) for a, b in needs
        )

    def order(names) -> str:
        left, made = list(names), []
        while left:
            ready = [n for n in left if all(b in made for a, b in needs if a == n)]
            made.append(ready[-1])
            left.remove(ready[-1])
        return " ".join(made)

    return Oracle(accepts, [order(names), order(sorted(names))])


def paths(start: str, end: str, links) -> list:
    """All shortest paths."""
    ways = [[start]]
    seen = {start}
    while ways:
        found = [way for way in ways if way[-1] == end]
        if found:
            return found
        ways = [
            way + [b]
            for way in ways
            for link in links
            for a, b in (link, link[::-1])
            if a == way[-1] and b not in seen
        ]
        seen |= {way[-1] for way in ways}
    return []


def shortest_path(prompt: str) -> Oracle:
    links = [tuple(line.split()) for line in prompt.splitlines()[1:-1]]
    start, end = re.search(r"path from (\w+) to (\w+)", prompt).groups()
    return among(" ".join(way) for way in paths(start, end, links)[::-1])


def family_relationships(prompt: str) -> Oracle:
    facts = re.findall(r"(\w+) is the (husband|wife|son|daughter) of (\w+)\.", prompt, re.M)
    a, b = re.search(r"What is (\w+) to (\w+)\?", prompt).groups()
    spouse, woman, parents = {}, {}, {}
    for x, kin, y in facts:
        if kin in ("husband", "wife"):
            spouse[x], spouse[y] = y, x
            woman[x], woman[y] = kin == "wife", kin == "husband"
    for x, kin, y in facts:
        if kin in ("son", "daughter"):
            woman[x] = kin == "daughter"
            parents[x] = {y, spouse[y]}
    up = lambda xs: {p for x in xs for p in parents.get(x, ())}
    down = lambda xs: {c for c, ps in parents.items() if ps & set(xs)}
    married = lambda xs: {spouse[x] for x in xs if x in spouse}
    beside = lambda x: down(up({x})) - {x}
    aunts = lambda x: set().union(*map(beside, parents.get(x, ())))
    kin = {  # who is that to b
        "husband wife": married({b}),
        "father mother": up({b}),
        "son daughter": down({b}),
        "brother sister": beside(b),
        "grandfather grandmother": up(up({b})),
        "grandson granddaughter": down(down({b})),
        "uncle aunt": aunts(b) | married(aunts(b)),
        "nephew niece": set().union(*map(beside_children(down, beside), {b} | married({b}))),
        "cousin cousin": down(aunts(b)),
        "father-in-law mother-in-law": up(married({b})),
        "son-in-law daughter-in-law": married(down({b})),
        "brother-in-law sister-in-law": married(beside(b))
        | set().union(*map(beside, married({b}))),
    }
    return among(words.split()[woman[a]] for words, who in kin.items() if a in who)


def beside_children(down, beside):
    return lambda x: down(beside(x))


def graph_color(prompt: str) -> Oracle:
    body, ask = prompt.split("Colour each")
    links = [line.split() for line in body.splitlines()[1:]]
    nodes = re.search(r"before its colour: (.*)$", ask, re.M)[1].split(", ")

    def accepts(reply: str) -> bool:
        rows = [re.fullmatch(r"(\w+): (red|green|blue)", line) for line in reply.splitlines()]
        if not all(rows) or [row[1] for row in rows] != nodes:
            return False
        colour = {row[1]: row[2] for row in rows}
        return all(colour[a] != colour[b] for a, b in links)

    def colour(done: dict):
        left = [node for node in nodes if node not in done]
        if not left:
            return done
        both = links + [link[::-1] for link in links]
        taken = {done[b] for a, b in both if a == left[0] and b in done}
        for hue in ("blue", "green", "red"):
            found = hue not in taken and colour({**done, left[0]: hue})
            if found:
                return found
        return None

    found = colour({})
    return Oracle(accepts, ["\n".join(f"{node}: {found[node]}" for node in nodes)])


def path_star(prompt: str) -> Oracle:
    links = [tuple(line.split()) for line in prompt.splitlines()[1:-1]]
    start, end = re.search(r"from (\w+) to (\w+)", prompt).groups()
    return among(" ".join(way) for way in paths(start, end, links))


def grid_navigation(prompt: str) -> Oracle:
    side = int(re.search(r"grid of (\d+) columns", prompt)[1])
    walls = {tuple(map(int, m)) for m in re.findall(r"^(\d+) (\d+)$", prompt, re.M)}
    x, y, way = re.search(r"column (\d+), row (\d+), facing (\w+)", prompt).groups()
    here = complex(int(x), int(y))
    way = {"north": -1j, "south": 1j, "east": 1, "west": -1}[way]
    for command in re.search(r"Commands: (.*)", prompt)[1].split():
        way *= {"left": -1j, "right": 1j}.get(command, 1)
        if command == "forward":
            there = here + way
            cell = tuple((int(part) + side - 1) % side + 1 for part in (there.real, there.imag))
            if cell not in walls:
                here = complex(*cell)
    return exactly(f"{int(here.real)} {int(here.imag)}")


def tracking_shuffled_objects(prompt: str) -> Oracle:
    held = dict(re.findall(r"^(\w+) holds (\w+)$", prompt, re.M))
    for a, b in re.findall(r"^(\w+) and (\w+) exchange", prompt, re.M):
        held[a], held[b] = held[b], held[a]
    return exactly(held[re.search(r"What does (\w+) hold", prompt)[1]])


def finite_automaton(prompt: str) -> Oracle:
    found = re.findall(r"(\w+): a leads to (\w+), b leads to (\w+)", prompt)
    table = {state: {"a": a, "b": b} for state, a, b in found}
    state, word = re.search(r"starts in (\w+) and reads: (.*)", prompt).groups()
    for symbol in word.split():
        state = table[state][symbol]
    return exactly(state)


def belief_tracking(prompt: str) -> Oracle:
    names = re.search(r"^(.*) are in a room", prompt)[1].split(", ")
    place = re.search(r"is in the (\w+)\.", prompt)[1]
    belief, room = {name: place for name in names}, set(names)
    for line in prompt.splitlines()[1:-1]:
        name, does, *rest = line.rstrip(".").split()
        if does == "puts":
            assert name in room
            belief.update({other: rest[-1] for other in room})
        else:
            (room.discard if does == "leaves" else room.add)(name)
    return exactly(belief[re.search(r"Where does (\w+) believe", prompt)[1]])


def choices(right) -> Oracle:
    """The words of one of these sets, each once, in any order."""

    def accepts(reply: str) -> bool:
        words = reply.split()
        return len(set(words)) == len(words) and set(words) in right

    return Oracle(accepts, [" ".join(sorted(chosen)) for chosen in right][:3])


def any_order(words) -> Oracle:
    """These words, in any order."""
    words = list(words)
    return Oracle(
        lambda reply: sorted(reply.split()) == sorted(words),
        [" ".join(words), " ".join(words[::-1]), " ".join(sorted(words))],
    )


def entity_tracking(prompt: str) -> Oracle:
    box = dict(re.findall(r"^(\w+) is in box (\d+)$", prompt, re.M))
    for line in prompt.splitlines():
        if whole := re.match(r"Everything in box (\d+) goes into box (\d+)", line):
            box = {thing: whole[2] if at == whole[1] else at for thing, at in box.items()}
        elif one := re.match(r"Now (\w+) goes into box (\d+)", line):
            box[one[1]] = one[2]
    asked = re.search(r"What is in box (\d+)", prompt)[1]
    return any_order(thing for thing, at in box.items() if at == asked)


def associative_recall(prompt: str) -> Oracle:
    stream = re.search(r"behind it: (.*)", prompt)[1].split()
    value = dict(zip(stream[::2], stream[1::2]))
    return exactly(" ".join(value[k] for k in re.search(r"in this order: (.*)", prompt)[1].split()))


def niah_multivalue(prompt: str) -> Oracle:
    key = re.search(r"values of (\w+)\?", prompt)[1]
    return any_order(re.findall(rf"A value of {key} is (\w+)\.", prompt))


def common_words(prompt: str) -> Oracle:
    text, ask = prompt.split("\n")
    many = int(re.search(r"Which (\d+) words", ask)[1])
    words = text.split()
    counts = sorted(((words.count(word), word) for word in set(words)), reverse=True)
    assert counts[many - 1][0] > counts[many][0]
    return any_order(word for _, word in counts[:many])


def frequent_words(prompt: str) -> Oracle:
    text, ask = prompt.split("\n")
    many = int(re.search(r"Which (\d+) words", ask)[1])
    words = text.split()
    counts = sorted(((words.count(word), word) for word in set(words)), reverse=True)
    assert len({count for count, _ in counts}) == len(counts)
    return exactly(" ".join(word for _, word in counts[:many]))


def induction_heads(prompt: str) -> Oracle:
    text, ask = prompt.split("\n")
    many = int(re.search(r"(\d+) of them", ask)[1])
    words = text.split()
    spot = words.index(words[-1])
    return exactly(" ".join(words[spot + 1 : spot + 1 + many]))


def regular_language(prompt: str) -> Oracle:
    string = re.search(r"String: (.*)", prompt)[1].replace(" ", "")
    language = re.search(r"to a language if (.*)\.$", prompt, re.M)[1]
    zeros, ones = string.count("0"), string.count("1")
    patterns = {
        "no four 0s": not re.search("0000", string),
        "even number of 0s and": zeros % 2 == 0 and ones % 2 == 0,
        "less the number": abs(zeros - ones) % 3 == 0,
        "binary": int(string, 2) % 3 == 0,
        "follows directly": len(re.findall("10", string)) % 2 == 0,
        "stands in it": "1011" in string,
    }
    (member,) = [value for text, value in patterns.items() if text in language]
    return exactly("yes" if member else "no")


def counter_language(prompt: str) -> Oracle:
    a, b, c = re.search(r"symbols (\w+), (\w+), (\w+),", prompt).groups()
    begun = prompt.splitlines()[-2].split()
    n = begun.count(a)
    return exactly(" ".join([b] * (n - begun.count(b)) + [c] * n))


def selective_copy(prompt: str) -> Oracle:
    dull = re.search(r"leave out these words: (.*)", prompt)[1].split()
    return exactly(" ".join(w for w in prompt.split("\n")[0].split() if w not in dull))



def parity(prompt: str) -> Oracle:
    return exactly("odd" if prompt.split("\n")[0].count("1") & 1 else "even")


def most_frequent_word(prompt: str) -> Oracle:
    words = prompt.split("\n")[0].split()
    most = max(words.count(word) for word in words)
    return among(f"{word} {most}" for word in dict.fromkeys(words) if words.count(word) == most)


def permutation_composition(prompt: str) -> Oracle:
    row = re.search(r"in a row: (.*)", prompt)[1].split()
    for line in re.findall(r"^(\d[\d ]*)$", prompt, re.M):
        row = [row[int(i) - 1] for i in line.split()]
    return exactly(" ".join(row))


def modular_addition(prompt: str) -> Oracle:
    summands, modulus = prompt.removesuffix(" is").split(" modulo ")
    return exactly(str(sum(map(int, summands.split(" + "))) % int(modulus)))


def tower_of_hanoi(prompt: str) -> Oracle:
    """Breadth-first search over positions."""
    pegs = re.findall(r"^(\w+): (none|[\d ]+)$", prompt, re.M)
    goal = re.search(r"Bring all discs to (\w+) in", prompt)[1]
    start = {name: [] if discs == "none" else list(map(int, discs.split())) for name, discs in pegs}
    total = sum(map(len, start.values()))

    def move(state: dict, a: str, b: str):
        if a not in state or b not in state or a == b or not state[a]:
            return None
        if state[b] and state[b][-1] < state[a][-1]:
            return None
        return {**state, a: state[a][:-1], b: state[b] + state[a][-1:]}

    key = lambda state: tuple(tuple(discs) for discs in state.values())
    ways, seen = [(start, [])], {key(start)}
    while not any(len(state[goal]) == total for state, _ in ways):
        following = []
        for state, way in ways:
            for a, b in itertools.permutations(state, 2):
                new = move(state, a, b)
                if new and key(new) not in seen:
                    seen.add(key(new))
                    following.append((new, way + [f"{a} {b}"]))
        ways = following
    best = next(way for state, way in ways if len(state[goal]) == total)

    def accepts(reply: str) -> bool:
        moves, state = [line.split() for line in reply.splitlines()], start
        for line in moves:
            state = state and len(line) == 2 and move(state, *line)
        return bool(state) and len(state[goal]) == total and len(moves) == len(best)

    return Oracle(accepts, ["\n".join(best)])


def rows(text: str) -> list:
    return [line.split() for line in text.splitlines()]


def sudoku(prompt: str) -> Oracle:
    side = int(re.search(r"numbers 1 to (\d+)", prompt)[1])
    box = int(side**0.5)
    given = [row for row in rows(prompt) if all(c == "_" or c.isdigit() for c in row)]
    units = [[(y, x) for x in range(side)] for y in range(side)]
    units += [[(y, x) for y in range(side)] for x in range(side)]
    units += [
        [(y, x) for y in range(side) for x in range(side) if (y // box, x // box) == (v, u)]
        for v in range(box)
        for u in range(box)
    ]
    numbers = [str(n + 1) for n in range(side)]

    def accepts(reply: str) -> bool:
        grid = rows(reply)
        if [len(row) for row in grid] != [side] * side:
            return False
        kept = all(g in ("_", c) for a, b in zip(given, grid) for g, c in zip(a, b))
        return kept and all(sorted(grid[y][x] for y, x in unit) == numbers for unit in units)

    def seen(grid, y, x):
        return {grid[v][u] for unit in units if (y, x) in unit for v, u in unit}

    def solve(grid):
        open_ = [
            (y, x, [n for n in numbers if n not in seen(grid, y, x)])
            for y in range(side)
            for x in range(side)
            if grid[y][x] == "_"
        ]
        if not open_:
            return grid
        y, x, fits = min(open_, key=lambda cell: len(cell[2]))
        for n in fits[::-1]:
            new = [row[:] for row in grid]
            new[y][x] = n
            if found := solve(new):
                return found
        return None

    return Oracle(accepts, ["\n".join(map(" ".join, solve(given)))])


def kakurasu(prompt: str) -> Oracle:
    across, down = (
        list(map(int, re.search(f"Sums of the {kind}: (.*)", prompt)[1].split()))
        for kind in ("rows", "columns")
    )
    side = len(across)
    weigh = lambda marks: sum(i + 1 for i, mark in enumerate(marks) if mark == "1")

    def accepts(reply: str) -> bool:
        grid = rows(reply)
        if [len(row) for row in grid] != [side] * side or not set(sum(grid, [])) <= {"0", "1"}:
            return False
        return list(map(weigh, grid)) == across and list(map(weigh, zip(*grid))) == down

    marks = list(itertools.product("01", repeat=side))
    lines = [[m for m in marks if weigh(m) == total] for total in across]

    def solve(y: int, left: tuple):
        if y == side:
            return [] if not any(left) else None
        # What the rows below can still give.
        if any(rest < 0 or rest > sum(range(y + 1, side + 1)) for rest in left):
            return None
        for row in lines[y]:
            rest = tuple(total - (y + 1) * (mark == "1") for total, mark in zip(left, row))
            found = solve(y + 1, rest)
            if found is not None:
                return [row] + found
        return None

    return Oracle(accepts, ["\n".join(map(" ".join, solve(0, tuple(down))))])


def survo(prompt: str) -> Oracle:
    grid = [row for row in rows(prompt) if all(c == "_" or c.isdigit() for c in row)]
    count = int(re.search(r"numbers 1 to (\d+)", prompt)[1])
    across, down = (
        list(map(int, m.split()))
        for m in re.search(r"sums ([\d ]+),\sthe columns ([\d ]+)\.", prompt).groups()
    )

    def accepts(reply: str) -> bool:
        filled = rows(reply)
        if [len(row) for row in filled] != [len(row) for row in grid]:
            return False
        if not all(g in ("_", c) for a, b in zip(grid, filled) for g, c in zip(a, b)):
            return False
        if sorted(sum(filled, []), key=lambda c: (len(c), c)) != [str(n + 1) for n in range(count)]:
            return False
        numbers = [[int(c) for c in row] for row in filled]
        return [sum(r) for r in numbers] == across and [sum(c) for c in zip(*numbers)] == down

    cells = [(y, x) for y, row in enumerate(grid) for x, c in enumerate(row) if c == "_"]
    missing = sorted(set(range(1, count + 1)) - {int(c) for row in grid for c in row if c != "_"})

    def solve(i: int, filled, free):
        for y, total in enumerate(across):
            known = [int(c) for c in filled[y] if c != "_"]
            if sum(known) > total or len(known) == len(down) and sum(known) != total:
                return None
        for x, total in enumerate(down):
            known = [int(row[x]) for row in filled if row[x] != "_"]
            if sum(known) > total or len(known) == len(across) and sum(known) != total:
                return None
        if i == len(cells):
            return filled
        y, x = cells[i]
        for n in free:
            new = [row[:] for row in filled]
            new[y][x] = str(n)
            if found := solve(i + 1, new, [m for m in free if m != n]):
                return found
        return None

    found = solve(0, grid, missing)
    return Oracle(accepts, ["\n".join(map(" ".join, found))])


def cryptarithm(prompt: str) -> Oracle:
    left, total = re.search(r"^([A-J +]+) = ([A-J]+)$", prompt, re.M).groups()
    terms = left.split(" + ")
    words = [*terms, total]
    names = sorted(set("".join(words)))
    first = {word[0] for word in words}

    def accepts(reply: str) -> bool:
        found = [line.split(" = ") for line in reply.strip().splitlines()]
        digits = {name.strip(): int(digit) for name, digit in found}
        if [name.strip() for name, _ in found] != names or len(set(digits.values())) != len(names):
            return False
        if not all(0 <= digit <= 9 for digit in digits.values()) or any(digits[name] == 0 for name in first):
            return False
        numbers = [int("".join(str(digits[name]) for name in word)) for word in words]
        return sum(numbers[:-1]) == numbers[-1]

    def solve(place: int, carry: int, digits: dict):
        """Digits of all letters from a place on, counted from the right."""
        if place == len(total):
            return digits if carry == 0 else None
        column = [word[-1 - place] for word in terms if place < len(word)]
        open_ = [name for name in dict.fromkeys(column) if name not in digits]
        free = [digit for digit in range(9, -1, -1) if digit not in digits.values()]
        for chosen in itertools.permutations(free, len(open_)):
            new = digits | dict(zip(open_, chosen))
            above, below = divmod(carry + sum(new[name] for name in column), 10)
            name = total[-1 - place]
            if name not in new and below not in new.values():
                new[name] = below
            if new.get(name) == below and all(new.get(one) != 0 for one in first):
                if found := solve(place + 1, above, new):
                    return found
        return None

    digits = solve(0, 0, {})
    return Oracle(accepts, ["\n".join(f"{name} = {digits[name]}" for name in names)])


def n_queens(prompt: str) -> Oracle:
    given = prompt.splitlines()[-2].split()
    side = len(given)

    def accepts(reply: str) -> bool:
        queens = reply.split()
        if len(queens) != side or any(g not in ("_", q) for g, q in zip(given, queens)):
            return False
        queens = list(map(int, queens))
        return all(
            len({q + sign * i for i, q in enumerate(queens)}) == side for sign in (0, 1, -1)
        ) and set(queens) == set(range(1, side + 1))

    def solve(queens):
        row = len(queens)
        if row == side:
            return queens
        for q in range(side, 0, -1):
            free = all(q != p and abs(q - p) != row - i for i, p in enumerate(queens))
            if free and given[row] in ("_", str(q)):
                if found := solve(queens + [q]):
                    return found
        return None

    return Oracle(accepts, [" ".join(map(str, solve([])))])



def string_rewriting(prompt: str) -> Oracle:
    string = " ".join(re.search(r"String: (.*)", prompt)[1].split())
    while True:
        new = string
        for old, put in ((r"A# #A", ""), (r"B# #B", ""), ("A# #B", "#B A#"), ("B# #A", "#A B#")):
            new = " ".join(new.replace(old, put, 1).split())
        if new == string:
            return exactly(string)
        string = new


def instruction_following(prompt: str) -> Oracle:
    length = int(re.search(r"exactly (\d+) words", prompt)[1])
    first, last = re.search(r"first word is (\w+), the last is\s(\w+)\.", prompt).groups()
    must = re.search(r"come in it: (.*)", prompt)[1].split()
    never = re.search(r"do not: (.*)", prompt)[1].split()

    def accepts(reply: str) -> bool:
        words = reply.split()
        return (
            len(words) == len(set(words)) == length
            and (words[0], words[-1]) == (first, last)
            and set(must) <= set(words)
            and not set(never) & set(words)
        )

    fill = [f"new{'abcdefghijklmnopqrstuvwxyz'[i]}" for i in range(length - 2 - len(must))]
    lines = [first, *fill, *must, last], [first, *must[::-1], *fill, last]
    return Oracle(accepts, [" ".join(line) for line in lines])


def cellular_automaton(prompt: str) -> Oracle:
    table = {(a, b, c): d for a, b, c, d in re.findall(r"^(\d) (\d) (\d) -> (\d)$", prompt, re.M)}
    row = re.search(r"Row: (.*)", prompt)[1].split()
    for _ in range(int(re.search(r"after (\d+) of these", prompt)[1])):
        row = [table[trio] for trio in zip(row[-1:] + row[:-1], row, row[1:] + row[:1])]
    return exactly(" ".join(row))


def matrix_operations(prompt: str) -> Oracle:
    matrix = [line.split() for line in prompt.split("\nChange")[0].splitlines()]
    for step in re.findall(r"^\d+\. (.*)$", prompt, re.M):
        if step == "transpose it":
            matrix = list(zip(*matrix))
        elif step == "reverse each row":
            matrix = [row[::-1] for row in matrix]
        elif step == "reverse the order of the rows":
            matrix = matrix[::-1]
        elif "counterclockwise" in step:
            matrix = list(zip(*matrix))[::-1]
        else:
            matrix = list(zip(*matrix[::-1]))
    answer = "\n".join(map(" ".join, matrix))
    return Oracle(lambda reply: rows(reply) == rows(answer), [answer])


def table_lookup(prompt: str) -> Oracle:
    header, *table = [line.split(" | ") for line in prompt.splitlines()[:-1]]
    asked = re.search(r"What is the (\w+) where the (\w+) is (\w+)\?", prompt)
    wanted, known, value = asked.groups()
    return among(row[header.index(wanted)] for row in table if row[header.index(known)] == value)


def interval_scheduling(prompt: str) -> Oracle:
    found = re.findall(r"^(\w+): (\d+):(\d\d) to (\d+):(\d\d)$", prompt, re.M)
    times = {n: (60 * int(a) + int(b), 60 * int(c) + int(d)) for n, a, b, c, d in found}
    fits = lambda chosen: all(
        times[a][1] <= times[b][0] or times[b][1] <= times[a][0]
        for a, b in itertools.combinations(chosen, 2)
    )
    level, best = [()], []
    order = list(times)
    while level:  # choices of one more meeting, each after those that are chosen
        best = level
        level = [
            chosen + (name,)
            for chosen in level
            for name in order[order.index(chosen[-1]) + 1 if chosen else 0 :]
            if fits(chosen + (name,))
        ]
    right = [set(chosen) for chosen in best]
    return choices(right)


def partition(prompt: str) -> Oracle:
    numbers = list(map(int, prompt.splitlines()[0].split()))

    def accepts(reply: str) -> bool:
        group = list(map(int, reply.split()))
        there = all(group.count(n) <= numbers.count(n) for n in group)
        return there and 2 * sum(group) == sum(numbers)

    sums = {0: []}
    for number in numbers:
        sums = {**{total + number: way + [number] for total, way in sums.items()}, **sums}
    found = sums[sum(numbers) // 2]
    rest = list(numbers)
    for number in found:
        rest.remove(number)
    return Oracle(accepts, [" ".join(map(str, found)), " ".join(map(str, rest))])


def futoshiki(prompt: str) -> Oracle:
    side = int(re.search(r"numbers 1 to (\d+)", prompt)[1])
    cells = set("_0123456789")
    given = [row for row in rows(prompt) if len(row) == side and set("".join(row)) <= cells]
    signs = [
        tuple(int(n) - 1 for n in m)
        for m in re.findall(r"row (\d+) column (\d+) < row (\d+) column (\d+)", prompt)
    ]
    numbers = list(range(1, side + 1))

    def accepts(reply: str) -> bool:
        if [len(row) for row in rows(reply)] != [side] * side:
            return False
        square = [list(map(int, row)) for row in rows(reply)]
        return (
            all(sorted(line) == numbers for line in square + list(zip(*square)))
            and all(g in ("_", str(n)) for a, b in zip(given, square) for g, n in zip(a, b))
            and all(square[a][b] < square[c][d] for a, b, c, d in signs)
        )

    def solve(square):
        row = len(square)
        if row == side:
            return square
        for line in itertools.permutations(numbers[::-1]):
            if any(g not in ("_", str(n)) for g, n in zip(given[row], line)):
                continue
            if any(n == above[x] for above in square for x, n in enumerate(line)):
                continue
            new = square + [line]
            if all(new[a][b] < new[c][d] for a, b, c, d in signs if max(a, c) <= row):
                if found := solve(new):
                    return found
        return None

    found = solve([])
    return Oracle(accepts, ["\n".join(" ".join(map(str, row)) for row in found)])


def logical_deduction(prompt: str) -> Oracle:
    names = re.search(r"in a row: (.*)", prompt)[1].split()
    clues = []
    for line in prompt.splitlines()[1:-1]:
        if m := re.match(r"(\w+) is somewhere left of (\w+)", line):
            clues.append(lambda at, x=m[1], y=m[2]: at[x] < at[y])
        elif m := re.match(r"(\w+) is number (\d+) from", line):
            clues.append(lambda at, x=m[1], n=int(m[2]): at[x] == n)
        elif m := re.match(r"From (\w+) to (\w+) it is (\d+) to the right", line):
            clues.append(lambda at, x=m[1], y=m[2], n=int(m[3]): at[y] == at[x] + n)
        else:
            m = re.match(r"(\w+) and (\w+) have (\d+) between", line)
            clues.append(lambda at, x=m[1], y=m[2], n=int(m[3]): abs(at[x] - at[y]) == n + 1)

    def fits(order) -> bool:
        at = {name: i + 1 for i, name in enumerate(order)}
        return all(clue(at) for clue in clues)

    right = itertools.islice(filter(fits, itertools.permutations(names)), 2)
    accepts = lambda reply: sorted(reply.split()) == sorted(names) and fits(reply.split())
    return Oracle(accepts, [" ".join(order) for order in right])


def odd_one_out(prompt: str) -> Oracle:
    found = {}
    for number, before, behind in re.findall(r"^(\d+)\. (.*) -> (.*)$", prompt, re.M):
        key = tuple(before.split().index(word) for word in behind.split())
        found.setdefault(key, []).append(number)
    return among(numbers[0] for numbers in found.values() if len(numbers) == 1)


def list_functions(prompt: str) -> Oracle:
    family = {
        "backward": lambda x, n: x[::-1],
        "ascending": lambda x, n: sorted(x),
        "descending": lambda x, n: sorted(x, reverse=True),
        "each once": lambda x, n: list(dict.fromkeys(x)),
        "more by n": lambda x, n: [i + n for i in x],
        "n + 1 times": lambda x, n: [i * (n + 1) for i in x],
        "even": lambda x, n: [i for i in x if not i & 1],
        "greater than n": lambda x, n: [i for i in x if i > n],
        "every other": lambda x, n: x[::2],
        "rotated": lambda x, n: x[n % 3 + 1 :] + x[: n % 3 + 1],
        "sums so far": lambda x, n: list(itertools.accumulate(x)),
        "greater than 4": lambda x, n: [int(i > 4) for i in x],
        "greatest, least, sum": lambda x, n: [max(x), min(x), sum(x)],
        "differences": lambda x, n: [b - a for a, b in itertools.pairwise(x)],
    }
    lists = lambda text: list(map(int, text.split()))
    examples = [(lists(a), lists(b)) for a, b in re.findall(r"^([\d ]+) -> (.*)$", prompt, re.M)]
    asked = lists(prompt.rsplit("\n", 1)[1])
    return among(
        {
            " ".join(map(str, f(asked, n)))
            for f in family.values()
            for n in range(1, 6)
            if all(f(a, n) == b for a, b in examples)
        }
    )


def set_missing_element(prompt: str) -> Oracle:
    numbers = list(map(int, re.search(r"is missing:\n(.*)", prompt)[1].split()))
    return among(str(n) for n in range(min(numbers), max(numbers)) if n not in numbers)


def list_intersection(prompt: str) -> Oracle:
    a, b = (re.search(rf"^{name}: (.*)$", prompt, re.M)[1].split() for name in "AB")
    return any_order(word for word in a if word in b)


def maze(prompt: str) -> Oracle:
    grid = rows("\n".join(prompt.splitlines()[1:-1]))
    cells = {(y, x): c for y, row in enumerate(grid) for x, c in enumerate(row) if c != "#"}
    (start,), (end,) = ([cell for cell, c in cells.items() if c == mark] for mark in "SE")
    steps = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0)}

    def follow(way):
        here = start
        for move in way:
            here = here and move in steps and (here[0] + steps[move][0], here[1] + steps[move][1])
            here = here if here in cells else None
        return here

    ways, seen = {start: [[]]}, {start}
    while end not in ways:
        following = {}
        for (y, x), found in ways.items():
            for move, (v, u) in steps.items():
                there = (y + v, x + u)
                if there in cells and there not in seen:
                    following.setdefault(there, []).extend(way + [move] for way in found[:4])
        seen |= set(following)
        ways = following
    right = ways[end]
    accepts = lambda reply: len(reply.split()) == len(right[0]) and follow(reply.split()) == end
    return Oracle(accepts, [" ".join(way) for way in right[::-1][:3]])


def web_of_lies(prompt: str) -> Oracle:
    truth = {}
    for name, does in re.findall(r"(?:\. |^)(\w+) (lies|tells the truth)\.", prompt.split("\n")[0]):
        truth[name] = does != "lies"
    claims = re.findall(r"(\w+) says that (\w+) (lies|tells the truth)\.", prompt)
    for _ in claims:
        for a, b, does in claims:
            if b in truth:
                truth[a] = truth[b] == (does != "lies")
    return exactly("yes" if truth[re.search(r"Does (\w+) tell", prompt)[1]] else "no")


def acre(prompt: str) -> Oracle:
    """Every set of causes that fits the trials."""
    found = re.findall(r"^([\w, ]+): (on|off)$", prompt, re.M)
    trials = [(set(there.split(", ")), state == "on") for there, state in found]
    asked = set(re.search(r"is it on\? ([\w, ]+) \(", prompt)[1].split(", "))
    things = sorted(set().union(asked, *(there for there, _ in trials)))
    said = set()
    for chosen in itertools.product([False, True], repeat=len(things)):
        causes = {thing for thing, one in zip(things, chosen) if one}
        if all(bool(causes & there) == on for there, on in trials):
            said.add(bool(asked & causes))
    return exactly("unknown" if len(said) == 2 else "yes" if True in said else "no")


def self_reference(prompt: str) -> Oracle:
    said = re.findall(r"^\d+\. (.*)$", prompt, re.M)

    def holds(text: str, truths) -> bool:
        number = int(re.search(r"\d+", text)[0])
        if text.startswith("Statement"):
            return truths[number - 1] == ("true" in text)
        trues = sum(truths)
        if text.startswith("Exactly"):
            return trues == number
        return trues >= number if text.startswith("At least") else trues <= number

    return among(
        " ".join("true" if truth else "false" for truth in truths)
        for truths in itertools.product([True, False], repeat=len(said))
        if all(holds(text, truths) == truth for text, truth in zip(said, truths))
    )


def water_jugs(prompt: str) -> Oracle:
    """Breadth-first search over what the jugs hold."""
    size = {name: int(n) for name, n in re.findall(r"^(\w+): (\d+)$", prompt, re.M)}
    amount = int(re.search(r"to hold (\d+) in the end", prompt)[1])

    def step(state: dict, does: str, name: str):
        if name not in size or does not in ("fill", "empty", "pour"):
            return None
        if does != "pour":
            return {**state, name: size[name] if does == "fill" else 0}
        (other,) = set(size) - {name}
        water = min(state[name], size[other] - state[other])
        return {**state, name: state[name] - water, other: state[other] + water}

    def accepts(reply: str) -> bool:
        state = dict.fromkeys(size, 0)
        for line in rows(reply):
            state = step(state, *line) if state and len(line) == 2 else None
        return bool(state) and amount in state.values()

    ways, seen = [(dict.fromkeys(size, 0), [])], set()
    while True:
        found = [way for state, way in ways if amount in state.values()]
        if found:
            return Oracle(accepts, ["\n".join(way) for way in found[:2]])
        ways = [
            (step(state, does, name), way + [f"{does} {name}"])
            for state, way in ways
            for does in ("pour", "empty", "fill")
            for name in size
        ]
        fresh = {}
        for state, way in ways:
            key = tuple(state.values())
            if key not in seen:
                seen.add(key)
                fresh[key] = (state, way)
        ways = list(fresh.values())


def pair(oracle):
    """The oracle as `check.py` calls it: a right reply and the predicate of all of them."""

    def of(prompt: str):
        found = oracle(prompt)
        return found.answers[-1], found.accepts

    return of


ORACLES = {
    oracle.__name__: pair(oracle)
    for oracle in (
        knights_knaves,
        propositional_logic,
        syllogism,
        course_schedule,
        topological_sort,
        shortest_path,
        family_relationships,
        graph_color,
        path_star,
        grid_navigation,
        tracking_shuffled_objects,
        finite_automaton,
        belief_tracking,
        entity_tracking,
        associative_recall,
        niah_multivalue,
        common_words,
        frequent_words,
        induction_heads,
        regular_language,
        counter_language,
        selective_copy,
        parity,
        most_frequent_word,
        permutation_composition,
        modular_addition,
        tower_of_hanoi,
        sudoku,
        kakurasu,
        survo,
        cryptarithm,
        n_queens,
        string_rewriting,
        instruction_following,
        cellular_automaton,
        matrix_operations,
        table_lookup,
        interval_scheduling,
        partition,
        futoshiki,
        logical_deduction,
        odd_one_out,
        list_functions,
        set_missing_element,
        list_intersection,
        maze,
        web_of_lies,
        acre,
        self_reference,
        water_jugs,
    )
}
