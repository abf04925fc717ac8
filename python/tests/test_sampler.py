"""Samples: what each has, which are drawn, and what no index is."""

import json
import threading

import pytest

import cookc


def test_a_sample_has_texts_values_and_a_key(sampler):
    sample = sampler[7]
    words = sample.fields["words_"].split()
    assert sample.prompt == f"Words: {' '.join(words)}. The last?"
    assert sample.reply == words[-1] == sample.fields["last"]
    assert sample.system == 'You "echo".'
    assert sample.messages == [
        {"role": "system", "content": sample.system},
        {"role": "user", "content": sample.prompt},
        {"role": "assistant", "content": sample.reply},
    ]
    key = sample.key
    parts = (key.template, key.level, key.set, key.split, key.seed, key.index)
    assert parts == ("echo", "default", "", "train", 0, 7)
    assert str(key) == "echo · default · train · seed 0 · sample 7"
    assert (sample.index, sample.id) == (7, f"echo/{sampler.digest}/train/0/7")


def test_a_template_without_a_system_text_has_none(retrieval):
    assert retrieval[0].system is None
    assert [one["role"] for one in retrieval[0].messages] == ["user", "assistant"]


def test_a_sampler_says_what_it_is(echo):
    sampler = echo.level("hard").compile()
    assert (sampler.name, sampler.level, sampler.rules) == ("echo", "hard", ["ends"])


def test_samples_are_those_of_their_indices(sampler):
    samples = list(sampler.samples(seed=42, start=5, count=10, split="eval"))
    assert [one.index for one in samples] == list(range(5, 15))
    assert samples == [sampler.sample(i, seed=42, split="eval") for i in range(5, 15)]
    assert samples[0] != sampler.sample(5, seed=42) and samples[0] != sampler.sample(5, seed=43)


def test_samples_without_a_count_never_end(sampler):
    samples = sampler.samples(42)
    assert [next(samples).index for _ in range(1000)] == list(range(1000))


def test_the_last_index_of_all_is_drawn(sampler):
    last = 2**64 - 2
    (sample,) = sampler.samples(2**64 - 1, last, 1)
    assert (sample.index, sample.key.seed) == (last, 2**64 - 1)


def test_a_closed_iterator_has_no_next_sample(sampler):
    samples = sampler.samples(count=5)
    next(samples)
    samples.close()
    samples.close()
    assert list(samples) == []
    with pytest.raises(StopIteration):
        next(samples)


def test_the_train_and_eval_splits_share_no_prompt():
    text = 'a ~ uniform(0..9)\nb ~ uniform(0..9)\nc = a + b\nprompt "{a} and {b}"\nreply "{c}"\n'
    sampler = cookc.Template.parse("tiny.cook", text).compile()
    train, held_out = (
        {one.prompt for one in sampler.samples(1, count=500, split=split)}
        for split in ("train", "eval")
    )
    assert train and held_out and not train & held_out


def test_numbers_of_numpy_are_numbers(sampler):
    numpy = pytest.importorskip("numpy")
    assert sampler[numpy.int64(7)] == sampler[7] == sampler[numpy.uint8(7)]
    assert sampler.score(numpy.int32(7), sampler[7].reply, seed=numpy.uint64(0)).exact


@pytest.mark.parametrize(
    "draw, kind, said",
    [
        (lambda it: it[-1], IndexError, "`index` must not be negative, and is -1"),
        (lambda it: it[2**64], IndexError, "`index` must be at most 2**64 - 1"),
        (lambda it: it[1.0], TypeError, "`index` must be an int, and is a `float`"),
        (lambda it: it["7"], TypeError, "`index` must be an int, and is a `str`"),
        (lambda it: it[0:3], TypeError, "write `samples(start=0, count=10)`"),
        (lambda it: it.sample(-1), ValueError, "`index` must not be negative"),
        (lambda it: it.sample(0, seed=-1), ValueError, "`seed` must not be negative, and is -1"),
        (lambda it: it.sample(0, seed=2**64), ValueError, "`seed` must be at most 2**64 - 1"),
        (lambda it: it.samples(0, -5), ValueError, "`start` must not be negative, and is -5"),
        (lambda it: it.samples(0, 0, -1), ValueError, "`count` must not be negative, and is -1"),
        (lambda it: it.samples(0, 2**63, 2**63), ValueError, "`start` and `count` together"),
        (lambda it: it.samples(0, 0, 1.5), TypeError, "`count` must be an int"),
        (lambda it: it.samples(split="test"), cookc.Error, "write `train` or `eval`"),
        (lambda it: it.rows(shape="mesages"), cookc.Error, "write `messages`"),
        (lambda it: it.rows(shape="xml"), cookc.Error, "there are full, prompt-completion"),
        (lambda it: list(it), TypeError, "write `samples(count=10)`"),
        (lambda it: list(it.rows()), TypeError, "write `batch(0, 10)`"),
        (lambda it: it.rows()[-1], ValueError, "`index` must not be negative"),
        (lambda it: it.rows().lines(0), TypeError, "`count` is missing"),
        (lambda it: it.stream(0, 0, 5, rows=0), ValueError, "`rows` must be at least 1"),
        (lambda it: it.stream(0, 0), TypeError, "`count` is missing"),
    ],
)
def test_what_is_no_index_seed_count_split_or_shape_is_an_error(sampler, draw, kind, said):
    with pytest.raises(kind) as caught:
        draw(sampler)
    assert said in str(caught.value)


def test_a_sample_that_cannot_be_drawn_raises_with_its_index_and_the_next_is_drawn(zero, failing):
    with pytest.raises(cookc.Error) as caught:
        zero[failing]
    error = caught.value
    assert (error.code, error.line, error.index) == ("E601", 2, failing)
    assert "zero.cook:2:" in str(error)
    samples = zero.samples(start=failing)
    with pytest.raises(cookc.Error):
        next(samples)
    after = zero.samples(start=failing + 1)
    for _ in range(20):
        drawn = []
        for one in (samples, after):
            try:
                drawn.append(next(one))
            except cookc.Error as error:
                drawn.append(error.index)
        assert drawn[0] == drawn[1]


def test_threads_share_a_sampler(retrieval):
    alone = [retrieval.sample(i, seed=3) for i in range(200)]
    found, failed = {}, []

    def draw(first):
        try:
            for i in range(first, 200, 4):
                found[i] = retrieval.sample(i, seed=3)
                assert retrieval.score(i, alone[i].reply, seed=3).exact
                assert len(retrieval.score_many([i, i], ["", alone[i].reply], seed=3)) == 2
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=draw, args=(first,)) for first in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failed
    assert [found[i] for i in range(200)] == alone


def test_threads_share_an_iterator_and_no_sample_comes_twice(retrieval):
    samples, found = retrieval.samples(count=400), []
    threads = [
        threading.Thread(target=lambda: [found.append(one.index) for one in samples])
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == list(range(400))


def test_a_row_has_the_columns_of_its_shape(sampler):
    sample = sampler.sample(3, seed=1)
    row = sampler.rows(1)[3]
    assert json.loads(row.pop("fields")) == sample.fields
    assert row == {
        "id": sample.id,
        "template": "echo",
        "level": "default",
        "set": "",
        "split": "train",
        "seed": 1,
        "index": 3,
        "system": sample.system,
        "prompt": sample.prompt,
        "reply": sample.reply,
    }
    assert sampler.rows(1, shape="messages")[3] == {"id": sample.id, "messages": sample.messages}
    assert {shape: "id" in sampler.rows(shape=shape)[0] for shape in cookc.shapes()} == dict.fromkeys(
        cookc.shapes(), True
    )


def test_a_grammar_is_of_all_replies_or_of_those_to_one_sample(sampler):
    assert "::= " in sampler.grammar("gbnf") and "start: ROOT" in sampler.grammar("lark")
    keyed = cookc.Template.builtin("abduct").level("easy").compile()
    one = keyed.grammar("gbnf", index=3, seed=1, split="eval")
    assert one != keyed.grammar("gbnf") and "are of the prompt" not in one
    with pytest.raises(ValueError, match="write `gbnf` or `lark`"):
        sampler.grammar("ebnf")
