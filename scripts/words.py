#!/usr/bin/env python3
"""Makes src/data/words.txt: 4,096 made-up words that can be said aloud and mean nothing.

    apt-get install wamerican-huge wbritish-huge wfrench wngerman wspanish witalian
    cd /usr/share/dict && python3 .../scripts/words.py american-english-huge \
        british-english-huge french ngerman spanish italian > .../src/data/words.txt

Every candidate of three to six letters is built from one consonant-vowel pattern and put in the
order of its BLAKE2 hash, so the list is the same on every machine and any prefix of it is a fair
mix of lengths. A candidate is left out if a dictionary has it, also as the stem of a plural or a
past form. The first 512 differ from each other in at least two letters, so that a small
vocabulary is easy to tell apart by eye.
"""

import hashlib
import itertools
import sys

COUNT = 4096
FAR_APART = 512
CONSONANTS = "bdfgklmnprstvz"
VOWELS = "aeiou"
PATTERNS = ["cvc", "cvcv", "vcvc", "cvcvc", "vcvcv", "cvccv", "cvcvcv", "cvccvc"]
# A word that holds one of these would be read as something after all.
UNWANTED = "dik fag fuk kil kok kuk kun naz neg nig nud pis pup put rap sek tit tod".split()
# Each pattern gives at most so many words, the first by hash: short words would drown otherwise.
SHARE = 900


def main(dictionaries):
    known = set()
    for path in dictionaries:
        with open(path, encoding="utf-8") as lines:
            known.update(line.strip().lower() for line in lines)
    chosen = []
    for word in candidates(known):
        if len(chosen) < FAR_APART and any(near(word, other) for other in chosen):
            continue
        chosen.append(word)
        if len(chosen) == COUNT:
            break
    print("\n".join(chosen))


def candidates(known):
    """All unknown candidates, in the order of their hash."""
    every = []
    for pattern in PATTERNS:
        letters = [VOWELS if sign == "v" else CONSONANTS for sign in pattern]
        words = filter(sayable, map("".join, itertools.product(*letters)))
        every += sorted((word for word in words if not is_known(word, known)), key=rank)[:SHARE]
    return sorted(every, key=rank)


def rank(word):
    return hashlib.blake2b(word.encode(), digest_size=8).digest()


def sayable(word):
    """No letter twice in a row, no syllable twice, nothing unwanted."""
    if any(left == right for left, right in zip(word, word[1:])):
        return False
    if any(part in word for part in UNWANTED):
        return False
    return word[:2] != word[2:4] and word[2:4] != word[4:6]


def is_known(word, known):
    """In a dictionary, or one after a usual ending is taken off or put on."""
    forms = [word, word + "e", word + "s", word + word[-1] + "ing"]
    forms += [word[: -len(end)] for end in ("s", "es", "ed", "er", "en") if word.endswith(end)]
    return any(len(form) > 2 and form in known for form in forms)


def near(left, right):
    """Less than two letters apart."""
    if len(left) == len(right):
        return sum(a != b for a, b in zip(left, right)) < 2
    short, long = sorted((left, right), key=len)
    if len(long) - len(short) > 1:
        return False
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


main(sys.argv[1:])
