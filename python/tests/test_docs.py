"""The Python of the documentation is run, page by page."""

import importlib.util
import re

import pytest

from conftest import ROOT

BLOCK = re.compile(r"^```python(?: needs=(\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ["docs/python.md", "README.md", "python/README.md"]


def is_there(module):
    if module == "torch":
        # Not what stands for it in these tests.
        module = "torchdata"
    return importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((ROOT / page).read_text())
    assert blocks, "it has no Python"
    names, code = {"__name__": page}, []
    for needs, block in blocks:
        if not needs or is_there(needs):
            exec(compile(block, page, "exec"), names)
            code.append(block)
    assert code
