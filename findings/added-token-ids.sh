#!/usr/bin/env bash
# transformers 5.24.0, tokenizers 0.23.3: the ids of added tokens in a tokenizer's own files are not used.
#
# Expected: `added_tokens.json` maps a token to its id, and `added_tokens_decoder` in `tokenizer_config.json` an id to its
# token (documented on PreTrainedTokenizerBase: "the added tokens in the vocabulary as a dictionary of index to
# AddedToken"; `save_pretrained` writes it so). A token that the files give the id 300 has the id 300.
#
# What happens: where `tokenizer.json` does not have the token, AutoTokenizer appends it behind the vocabulary, with the next
# free id, whatever the files say, and without a warning. This is so for both files.
#
# Why it matters: a model with a padded embedding (many have more rows than their tokenizer has tokens) was trained with the
# row of the written id. The text is encoded, the model runs, and it reads a row that it never learned.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet transformers==5.24.0 tokenizers==0.23.3
"$work/venv/bin/python" - "$work" <<'PYTHON'
import json, pathlib, sys
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer

work, found = pathlib.Path(sys.argv[1]), {}
token = {"content": "<|stop|>", "special": True, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
for name, file, text in (
    ("added_tokens.json", "added_tokens.json", {"<|stop|>": 300}),
    ("added_tokens_decoder", "tokenizer_config.json", {"added_tokens_decoder": {"300": token}}),
):
    folder = work / name
    folder.mkdir()
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE(vocab={letter: at for at, letter in enumerate(letters)}, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    old = json.loads((folder / file).read_text()) if (folder / file).exists() else {}
    (folder / file).write_text(json.dumps({**old, **text}))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found[name] = tokenizer("<|stop|>")["input_ids"]
    print(f"{name} gives `<|stop|>` the id 300; AutoTokenizer encodes it as {found[name]}")
sys.exit(0 if set(map(tuple, found.values())) == {(256,)} else "this has changed")
PYTHON
