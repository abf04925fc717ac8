"""What transformers makes of chat templates: `python scripts/chat_templates.py`.

Renders each tests/data/chat/NAME.jinja, which are shaped like those of ChatML, Llama 3 and Mistral models,
over a few conversations, and writes tests/data/chat/rendered.json: per template and conversation the text
with and without the generation prompt, or null where the template refuses. Made with transformers 5.24.0
and jinja2 3.1.6 from PyPI.
"""

import json
import pathlib

import jinja2
from transformers.utils.chat_template_utils import render_jinja_template

DATA = pathlib.Path(__file__).parent.parent / "tests/data/chat"
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
SYSTEM = {"role": "system", "content": "  Be brief. "}
USER = {"role": "user", "content": 'Which of "a" & <b>?\nSay it.\n'}
REPLY = {"role": "assistant", "content": " größe \n"}
CONVERSATIONS = [
    [USER],
    [USER, REPLY],
    [SYSTEM, USER],
    [SYSTEM, USER, REPLY],
    [SYSTEM, USER, REPLY, USER, REPLY],
    [USER, USER],
    [USER, SYSTEM],
]


def main():
    out = {}
    for path in sorted(DATA.glob("*.jinja")):
        text = path.read_text()
        out[path.stem] = [
            {"messages": messages} | {str(prompt).lower(): render(text, messages, prompt) for prompt in (False, True)}
            for messages in CONVERSATIONS
        ]
    (DATA / "rendered.json").write_text(json.dumps(out, indent=1, ensure_ascii=False) + "\n")


def render(text, messages, prompt):
    try:
        rendered, _ = render_jinja_template(
            conversations=[messages], chat_template=text, add_generation_prompt=prompt, **SPECIAL
        )
    except jinja2.exceptions.TemplateError:
        return None
    return rendered[0]


if __name__ == "__main__":
    main()
