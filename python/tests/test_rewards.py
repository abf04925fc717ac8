"""What the adapters of trainers share: from an id and a reply to a reward; problems by number; the curriculum."""

import copy
import json
import pickle
import threading

import pytest

import cookc
from cookc.rewards import Problems, Scorer, shares, text_of
from cookc.verl import compute_score


def test_a_reply_is_scored_by_the_id_of_its_sample(retrieval):
    samples = [*retrieval.samples(5, count=9), *retrieval.samples(6, count=9, split="eval")]
    for scorer in (Scorer(retrieval), Scorer("std:retrieval"), Scorer()):
        ids = [sample.id for sample in samples]
        replies = [sample.reply if at % 2 else "a guess" for at, sample in enumerate(samples)]
        found = scorer.scores(ids, replies)
        assert [score.exact for score in found] == [at % 2 == 1 for at in range(18)]
        assert scorer.score(ids[0], samples[0].reply).exact


def test_no_string_and_no_object_raises(retrieval):
    scorer = Scorer(retrieval)
    bad = ["", "\ud800", "a\0b", "x" * 10_000_000, "\u202e", None, 7, [], b"a", {"content": "a"}]
    found = scorer.scores([retrieval[3].id] * len(bad), bad)
    assert [float(score) for score in found] == [0.0] * len(bad)
    assert all(score.unreadable for score, reply in zip(found, bad) if not isinstance(reply, str))
    assert (found[5].unreadable, found[5].cause) == ("the reply is no text", "no_text")
    assert found[5].rules == {name: 0.0 for name in retrieval.rules}


def test_a_template_is_found_by_a_path_and_all_of_its_levels_are_scored(echo, tmp_path):
    path = tmp_path / "echo.cook"
    path.write_text(echo.text)
    for source in (path, str(path), [echo]):
        for sampler in (echo.compile(), echo.level("hard").compile()):
            assert Scorer(source).score(sampler[4].id, sampler[4].reply).exact


def test_other_words_need_the_sampler_or_the_words(echo):
    words = cookc.Vocabulary([f"word{at}" for at in range(100)])
    sample = echo.vocabulary(words).compile()[4]
    assert Scorer(echo, vocabulary=words).score(sample.id, sample.reply).exact
    with pytest.raises(LookupError, match="no level of `echo` draws"):
        Scorer(echo).score(sample.id, sample.reply)


@pytest.mark.parametrize(
    "id, kind, said",
    [
        ("other/5db9cf1903384f54/train/0/1", LookupError, "the templates are retrieval; pass the sampler"),
        ("retrieval/0000000000000000/train/0/1", LookupError, "no level of `retrieval` draws"),
        ("retrieval/5db9cf1903384f54/train/0", ValueError, "is no id of a sample: it must be template/d"),
        ("retrieval/5db9cf1903384f54/train/0/x", ValueError, "is no id of a sample"),
        (None, ValueError, "None is no id of a sample"),
    ],
)
def test_what_is_not_known_is_refused(id, kind, said):
    with pytest.raises(kind) as caught:
        Scorer("std:retrieval").score(id, "a")
    assert said in str(caught.value)


def test_a_split_or_seed_that_is_none_is_an_error(retrieval):
    template, digest, *_ = retrieval[0].id.split("/")
    for rest in ("test/0/1", "train/-1/1", f"train/{2**64}/1"):
        with pytest.raises((ValueError, cookc.Error)):
            Scorer(retrieval).score(f"{template}/{digest}/{rest}", "a")


def test_rewards_are_exact_the_mean_weights_or_a_function():
    sampler = cookc.Template.builtin("deduplicate").compile()
    first, *others = sampler.rules
    assert others
    score = cookc.Score(sampler.rules, [1.0] + [0.0] * len(others), (None, None), False, 0.25)
    assert Scorer(sampler).reward_of(score) == 0.0
    assert Scorer(sampler, reward="mean").reward_of(score) == 0.25
    weights = {first: 3.0, others[0]: 1.0}
    assert Scorer(sampler, reward=weights).reward_of(score) == 0.75
    assert Scorer(sampler, reward=lambda one: one.rules[first] / 2).reward_of(score) == 0.5
    with pytest.raises(ValueError, match="`reward` is `exact`, `mean`"):
        Scorer(sampler, reward="most")
    with pytest.raises(ValueError, match="has no rule `other`"):
        Scorer(sampler, reward={"other": 1.0})
    with pytest.raises(ValueError, match="weights above 0"):
        Scorer(sampler, reward={first: 0.0})
    with pytest.raises(TypeError, match="a sampler, a template or its name"):
        Scorer([7])


def test_right_wrong_and_unreadable_are_told_apart(sampler):
    replies = [sampler[0].reply, "two words", sampler[0].fields["words_"].split()[0], None]
    found = Scorer(sampler).scores([sampler[0].id] * 4, replies)
    assert shares(found) == {"exact": 0.25, "wrong": 0.25, "unreadable": 0.5}
    assert shares([]) == {"exact": 0.0, "wrong": 0.0, "unreadable": 0.0}


def test_a_completion_is_a_text_or_a_conversation():
    said = {"role": "assistant", "content": "b"}
    parts = {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    asked = {"role": "user", "content": "c"}
    for completion, text in [
        ("a", "a"), (None, None), ([said], "b"), ([parts], "ab"), ([said, asked], "b"), (said, "b"),
        ([asked], None), ([], None), ([{"role": "assistant", "content": None}], None), (7, None),
        ([{"role": "assistant"}], None), ([7], None),
    ]:
        assert text_of(completion) == text, completion


def test_answers_have_the_form_that_is_asked_for():
    template = cookc.Template.builtin("retrieval")
    problems = Problems(template, answer="tags")
    sample = problems[3]
    word = template.compile()[3].reply
    for scorer in (Scorer(problems.samplers), Scorer(template, answer="tags")):
        assert scorer.score(sample.id, f"It is <answer>{word}</answer>").exact
        assert scorer.score(sample.id, word).cause == "no_answer"


def test_threads_share_a_scorer(retrieval):
    scorer, wrong = Scorer("std:retrieval"), []
    samples = list(retrieval.samples(count=50))

    def work(at):
        ids = [sample.id for sample in samples]
        replies = [sample.reply if (at + index) % 2 else "" for index, sample in enumerate(samples)]
        found = scorer.scores(ids, replies)
        wrong.extend(one for index, one in enumerate(found) if one.exact != bool((at + index) % 2))

    threads = [threading.Thread(target=work, args=(at,)) for at in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_scorer_and_problems_can_be_pickled(retrieval):
    sample = retrieval[3]
    for scorer in (Scorer(retrieval), Scorer("std:retrieval", reward="exact")):
        assert pickle.loads(pickle.dumps(scorer)).score(sample.id, sample.reply).exact
    assert pickle.loads(pickle.dumps(Problems(retrieval)))[3] == sample


def test_verl_scores_the_rows_that_are_generated_for_it(retrieval):
    row = retrieval.rows(7, shape="verl")[2]
    truth = row["reward_model"]["ground_truth"]
    found = compute_score(row["data_source"], truth, truth, row["extra_info"])
    assert found == {"score": 1.0, "acc": 1.0, "unreadable": 0.0}
    found = compute_score(row["data_source"], None, truth, row["extra_info"], reward="exact")
    assert found == {"score": 0.0, "acc": 0.0, "unreadable": 1.0}
    with pytest.raises(ValueError, match="`gsm8k` has no `extra_info.id`"):
        compute_score("gsm8k", "7", "7", {})


def test_problems_come_by_number_and_of_several_templates_in_turn():
    problems = Problems(["std:retrieval", "std:count_word"], seed=3)
    names = [problems[number].key.template for number in range(4)]
    assert names == ["retrieval", "count_word"] * 2
    assert problems[3] == problems[3]
    with pytest.raises(ValueError, match="no sampler to draw from"):
        Problems([])


def test_a_problem_keeps_its_level_while_the_curriculum_goes_on():
    template = cookc.Template.builtin("retrieval")
    curriculum = cookc.Curriculum(template.levels, window=4)
    problems = Problems(template, curriculum=curriculum)
    first = problems[1]
    assert first.key.level == curriculum.pick(1) == template.levels[0]
    scorer = Scorer(problems.samplers)
    for number in range(8):
        sample = problems[number]
        problems.record(sample, scorer.score(sample.id, sample.reply))
    assert curriculum.level != template.levels[0]
    assert problems[1] == first
    assert problems[1000].key.level == curriculum.pick(1000)
    with pytest.raises(ValueError, match="the level `other`, and no sampler"):
        Problems(template.level("easy").compile(), curriculum=cookc.Curriculum(["easy", "other"]))


def test_the_curriculum_goes_up_at_seven_in_ten_and_down_at_one_in_ten():
    curriculum = cookc.Curriculum(["easy", "hard"], window=10)
    for passed, level in [(6, "easy"), (7, "hard"), (2, "hard"), (1, "easy"), (0, "easy")]:
        now = curriculum.level
        for at in range(10):
            curriculum.record(now, 1.0 if at < passed else 0.0)
        assert (curriculum.level, curriculum.rates[now]) == (level, passed / 10)


def test_the_state_of_a_curriculum_is_saved_and_restored():
    curriculum = cookc.Curriculum(["easy", "hard"], 0.5, 0.2, window=4)
    for score in (1.0, 1.0, 0.0, 0.5, 1.0, 0.25):
        curriculum.record(curriculum.level, score)
    state = json.loads(json.dumps(curriculum.state_dict()))
    other = cookc.Curriculum(["easy", "hard"], window=4)
    other.load_state_dict(state)
    assert other.state_dict() == curriculum.state_dict()
    assert pickle.loads(pickle.dumps(curriculum)).state_dict() == curriculum.state_dict()
    assert copy.deepcopy(curriculum) is curriculum
    with pytest.raises(ValueError, match="of the levels easy, hard, and these are easy"):
        cookc.Curriculum(["easy"]).load_state_dict(state)
    with pytest.raises(KeyError, match="no `levels`"):
        other.load_state_dict({"level": "easy"})


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: cookc.Curriculum([]), "at least one level"),
        (lambda: cookc.Curriculum(["a", "a"]), "two levels `a`"),
        (lambda: cookc.Curriculum(["a"], 0.1, 0.7), "`failed` the lower"),
        (lambda: cookc.Curriculum(["a"], window=0), "`window` must be at least 1"),
        (lambda: cookc.Curriculum(["a"]).record("b", 1.0), "no level `b`"),
        (lambda: cookc.Curriculum(["a"]).record("a", float("nan")), "from 0 to 1"),
    ],
)
def test_a_curriculum_that_is_none_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
