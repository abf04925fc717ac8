#!/usr/bin/env python3
"""Writes src/data/normalize/marks.txt: a line a base letter, then the letters that are it with marks.

Of every letter below U+2000 whose canonical decomposition (Unicode) is one base letter and marks, for
the scripts in which marks only vary a letter: Latin, Greek and Cyrillic.
"""

import pathlib
import unicodedata

SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")


def base(letter: str) -> str | None:
    parts = unicodedata.normalize("NFD", letter)
    is_marked = len(parts) > 1 and all(unicodedata.combining(part) for part in parts[1:])
    return parts[0] if is_marked else None


found: dict[str, str] = {}
for code in range(0x80, 0x2000):
    letter = chr(code)
    # Case is folded before marks are dropped.
    if letter != letter.lower() or not unicodedata.name(letter, "").startswith(SCRIPTS):
        continue
    if plain := base(letter):
        found[plain] = found.get(plain, "") + letter

path = pathlib.Path(__file__).parent.parent / "src/data/normalize/marks.txt"
path.write_text("".join(f"{plain}{found[plain]}\n" for plain in sorted(found)), encoding="utf-8")
