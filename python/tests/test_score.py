"""Scores: rule by rule, one or many, of samples and of records."""

import gc

import pytest

import cookc


def test_a_score_has_each_rule_and_why_a_reply_could_not_be_read(sampler):
    sample = sampler.sample(4, seed=2, split="eval")
    right = sampler.score(4, f" {sample.reply}\n", seed=2, split="eval")
    assert (right.exact, right.mean, right.rules, right.unreadable) == (True, 1.0, {"ends": 1.0}, None)
    wrong = sampler.score(4, "two words", seed=2, split="eval")
    assert (wrong.exact, wrong.mean, wrong.rules) == (False, 0.0, {"ends": 0.0})
    assert "one word" in wrong.unreadable
    assert float(right) == 1.0
    assert repr(right) == "<cookc.Score 1.0 ends=1.0>"


def test_many_replies_are_scored_as_one_by_one(retrieval):
    indices = [*range(300), 5, 5]
    replies = [retrieval[i].reply if i % 3 else "a guess" for i in indices]
    scores = retrieval.score_many(indices, replies)
    assert scores == [retrieval.score(i, reply) for i, reply in zip(indices, replies)]
    assert sum(one.exact for one in scores) == 202


def test_the_collector_is_on_after_a_batch_if_it_was_before(retrieval):
    assert gc.isenabled()
    retrieval.score_many(range(2000), ["a"] * 2000)
    assert gc.isenabled()
    gc.disable()
    try:
        retrieval.score_many(range(9), ["a"] * 9)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_replies_to_one_sample_are_scored_as_one_by_one(retrieval):
    indices = [7, 7, 7, 8, 7, 8, 8]
    replies = [retrieval[i].reply for i in (7, 8, 7, 8, 7, 8, 7)]
    scores = retrieval.score_many(indices, replies)
    assert scores == [retrieval.score(i, reply) for i, reply in zip(indices, replies)]
    assert [one.exact for one in scores] == [True, False, True, True, True, True, False]


def test_any_iterables_can_be_scored(retrieval):
    numpy = pytest.importorskip("numpy")
    replies = (retrieval[i].reply for i in range(10))
    assert all(one.exact for one in retrieval.score_many(numpy.arange(10), replies))
    assert retrieval.score_many([], []) == []


@pytest.mark.parametrize(
    "score, kind, said",
    [
        (lambda it: it.score(-1, "a"), ValueError, "`index` must not be negative"),
        (lambda it: it.score(0, None), TypeError, "is not an instance of 'str'"),
        (lambda it: it.score(0, b"a"), TypeError, "is not an instance of 'str'"),
        (lambda it: it.score(0, "a", split="tes"), cookc.Error, "write `train` or `eval`"),
        (lambda it: it.score_many([0, 1], ["a"]), ValueError, "2 indices and 1 replies"),
        (lambda it: it.score_many([0, -1], ["a", "b"]), ValueError, "`indices[1]` must not be neg"),
        (lambda it: it.score_many([0, 1], ["a", 2]), TypeError, "`replies[1]` must be a text"),
        (lambda it: it.score_many([0], "a"), TypeError, "`replies` must be a list"),
        (lambda it: it.score_many(0, ["a"]), TypeError, "`indices` must be a list"),
        (lambda it: it.score_fields([], "a"), TypeError, "`fields` must be a dict"),
        (lambda it: it.score_fields("{", "a"), ValueError, "the text of a JSON object"),
        (lambda it: it.score_fields({1: "a"}, "a"), TypeError, "names of `fields` must be texts"),
        (lambda it: it.score_fields({"a": {1}}, "a"), TypeError, '`fields["a"]` must be a text'),
        (lambda it: it.score_fields({"a": b"x"}, "a"), TypeError, '`fields["a"]` must be a text'),
        (lambda it: it.score_fields({"a": 2**70}, "a"), ValueError, "must fit into 64 bits"),
        (lambda it: it.score_fields({"words": "x"}, "a"), cookc.Error, "and is not there"),
        (lambda it: it.score_fields({"words_": 7}, "a"), cookc.Error, "and is `7`"),
    ],
)
def test_what_cannot_be_scored_is_an_error(sampler, score, kind, said):
    with pytest.raises(kind) as caught:
        score(sampler)
    assert said in str(caught.value)


def test_a_reply_to_a_sample_that_cannot_be_drawn_is_an_error_with_its_index(zero, failing):
    for score in (
        lambda: zero.score(failing, "1"),
        lambda: zero.score_many(range(300), ["1"] * 300),
        lambda: zero.rows().lines(0, 300),
    ):
        with pytest.raises(cookc.Error) as caught:
            score()
        assert (caught.value.index, caught.value.code) == (failing, "E601")


def test_a_record_of_natural_words_is_scored_by_the_same_rules(sampler):
    for words in ("Paris is large", ["Paris", "is", "large"], ("Paris", "is", "large")):
        assert sampler.score_fields({"words_": words, "more": None}, "large").exact
        assert not sampler.score_fields({"words_": words}, "Paris").exact


def test_a_sample_is_scored_by_its_fields_or_their_json(retrieval):
    for sample in retrieval.samples(5, count=50):
        assert retrieval.score_fields(sample.fields, sample.reply).exact
    row = retrieval.rows()[3]
    assert retrieval.score_fields(row["fields"], row["reply"]).exact


def test_arrays_of_numpy_are_lists():
    numpy = pytest.importorskip("numpy")
    text = 'xs ~ repeat(3, uniform(1..9))\ny = sum(xs)\nrule adds: y == sum(xs)\n'
    sampler = cookc.Template.parse("add.cook", text + 'prompt "{xs}"\nreply "{y}"\n').compile()
    assert sampler.score_fields({"xs": numpy.array([1, 2, 3])}, "6").exact
    assert sampler.score_fields({"xs": [numpy.int64(1), 2, 3]}, "6").exact


def test_half_a_character_is_read_as_another_one(retrieval):
    assert not retrieval.score(3, "\ud800").exact
    assert [one.exact for one in retrieval.score_many([3, 3], ["\udfff", retrieval[3].reply])] == [False, True]
    assert not retrieval.score_fields(retrieval[3].fields, "a\ud800").exact
