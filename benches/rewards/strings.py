"""Random and adversarial replies to templates in every form of answers: none may raise, or be paid without the answer.

    python benches/rewards/strings.py [COUNT]

COUNT replies in all (default 1,000,000), seed 3, shared out to the templates and forms below. A reply is random characters, or pieces of
marks, thoughts, decoration and words of other samples put together at random. Prints a line a template and form: replies, exact ones, and
the unreadable ones by cause; exits with 1 if one is exact that does not hold the sample's own answer.
"""
import collections
import random
import sys

import cookc

TEMPLATES = ["chain_sum", "retrieval", "list_union", "key_value", "stack_machine"]
FORMS = ["strict", "bare", "tags", "boxed", "line", "any"]
PIECES = ["<answer>", "</answer>", "<think>", "</think>", r"\boxed{", "}", "{", "Answer:", "the answer is", "**", "`", "```", "$", "$$", '"', "'",
          "[", "]", "(", ")", "- ", ". ", ".", ", ", "; ", "\n", "\n\n", "\t", " ", "\r\n", "\0", "\u200b", "é", "−", "🙂", "1,000", "+7", "5.0",
          "-0", "99999999999999999999", "<!--", "-->", "# Answer", "İ", "\ud7ff", r"\text{", "true", "FALSE", "maybe", "a" * 300]


def reply(chance, words):
    if chance.random() < 0.3:
        return "".join(chr(chance.choice((chance.randrange(1, 128), chance.randrange(0x20, 0xD7FF)))) for _ in range(chance.randrange(60)))
    return "".join(chance.choice(PIECES) if chance.random() < 0.6 else chance.choice(words) for _ in range(chance.randrange(25)))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    each, paid = count // (len(TEMPLATES) * len(FORMS)), 0
    for name in TEMPLATES:
        for form in FORMS:
            sampler = cookc.Template.builtin(name).level("easy").answer(form).compile()
            plain = cookc.Template.builtin(name).level("easy").compile()
            own = [plain.sample(index).reply for index in range(50)]
            others = sorted({word for index in range(100, 150) for word in plain.sample(index).reply.split()})
            chance = random.Random(3)
            indices = [number % 50 for number in range(each)]
            replies = [reply(chance, others) for _ in indices]
            scores = sampler.score_many(indices, replies)
            causes = collections.Counter(score.cause or "read" for score in scores)
            exact = [(at, text) for at, text, score in zip(indices, replies, scores) if score.exact]
            wrong = [(at, text) for at, text in exact if any(word not in text.lower().replace("−", "-") for word in own[at].split())]
            paid += len(wrong)
            print(name, form, each, "exact", len(exact), "without the answer", len(wrong), dict(sorted(causes.items())), flush=True)
            for at, text in wrong[:3]:
                print("   ", repr(own[at]), repr(text))
    print(f"{paid} paid without the answer")
    sys.exit(1 if paid else 0)


if __name__ == "__main__":
    main()
