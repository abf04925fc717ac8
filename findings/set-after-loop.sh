#!/usr/bin/env bash
# Jinja2 3.1.6 (so the chat templates of transformers): a name that is set at the end of a template is undefined in the loops
# and macros before it, even where the caller gave it a value.
#
# Expected: "Jinja: Assignments" in its template documentation: assignments at top level are exported; "Scoping Behavior": a set
# inside a block is not seen outside of it. Neither says that a set reaches back. Outside of loops it does not: `{{ tools }}{% set
# tools = 5 %}` shows what the caller gave.
#
# What happens: in `{% for m in messages %}{{ tools }}{% endfor %}{% set tools = 5 %}` the loop sees no `tools` at all. Names of a
# frame are settled before any code runs: the set makes `tools` a variable of the template, which has no value until
# then, and the loop looks there first. One mention before the loop, `{% if tools %}{% endif %}`, gives the caller's value back.
#
# Why it matters: a line at the end of a chat template changes the prompt before it, without an error: the tools, documents or
# special tokens that were given are missing. minijinja 3.1.0 shows them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet Jinja2==3.1.6
"$work/venv/bin/python" - <<'PYTHON'
import sys
from jinja2.sandbox import ImmutableSandboxedEnvironment

loop, last = "{% for m in messages %}[{{ tools }}]{% endfor %}", "{% set tools = 5 %}"
found = []
for text in (loop, "[{{ tools }}]" + last, loop + last, "{% if tools %}{% endif %}" + loop + last):
    shown = ImmutableSandboxedEnvironment().from_string(text).render(messages=["a"], tools="given")
    found.append(shown)
    print(f"{text}\n  {shown!r}")
sys.exit(0 if found == ["[given]", "[given]", "[]", "[given]"] else "this has changed")
PYTHON
