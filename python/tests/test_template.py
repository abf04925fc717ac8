"""Templates: where they come from, what they say of themselves, and the errors of their text."""

import pickle

import pytest

import cookc
from conftest import ECHO


def test_a_template_is_opened_with_the_files_beside_it(tmp_path):
    (tmp_path / "animals.txt").write_text("cat\ndog\nowl\n")
    path = tmp_path / "zoo.cook"
    path.write_text('words animals = "animals.txt"\nx ~ pick(animals)\nprompt "{x}"\nreply "{x}"\n')
    for given in (path, str(path)):
        template = cookc.Template.open(given)
        assert template.name == "zoo"
        assert template.text == path.read_text()
        assert template.compile()[0].reply in ("cat", "dog", "owl")


def test_a_template_is_parsed_from_its_text(echo):
    assert (echo.name, echo.levels, echo.lints) == ("echo", ["hard"], [])
    assert echo.text == ECHO


def test_files_can_be_given_as_texts():
    text = 'words animals = "animals.txt"\nx ~ pick(animals)\nprompt "{x}"\nreply "{x}"\n'
    template = cookc.Template.parse("zoo.cook", text, [("animals.txt", "emu\n")])
    assert template.compile()[3].reply == "emu"


def test_every_built_in_template_compiles_and_scores_its_own_reply():
    names = cookc.templates()
    assert len(names) > 20 and "retrieval" in names
    for name in names:
        sampler = cookc.Template.builtin(name).compile()
        assert sampler.score(3, sampler[3].reply).exact, name


def test_a_lint_has_its_place():
    text = 'unused ~ pick(vocab)\nx ~ pick(vocab)\nprompt "{x}"\nreply "{x}"\n'
    lint = cookc.Template.parse("lint.cook", text).lints[0]
    assert (lint.severity, lint.file, lint.line) == ("warning", "lint.cook", 1)
    assert lint.code.startswith("L") and "unused" in str(lint)


def test_an_error_prints_the_diagnostic_with_its_source():
    with pytest.raises(cookc.Error) as caught:
        cookc.Template.parse("bad.cook", 'x ~ pick(vocabb)\nprompt "{x}"\nreply "{x}"\n')
    error = caught.value
    assert "bad.cook:1:10" in str(error) and "x ~ pick(vocabb)" in str(error)
    assert (error.line, error.column, error.index) == (1, 10, None)
    assert error.code.startswith("E") and "vocab" in error.help and "vocabb" in error.message
    assert [one.code for one in error.diagnostics] == [error.code]
    assert error.diagnostics[0].text == str(error)


def test_an_error_has_every_diagnostic_of_the_text():
    text = 'x ~ pick(vocabb)\ny ~ pickk(vocab)\nprompt "{x}{y}"\nreply "{x}"\n'
    with pytest.raises(cookc.Error) as caught:
        cookc.Template.parse("bad.cook", text)
    assert [one.line for one in caught.value.diagnostics] == [1, 2]


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: cookc.Template.builtin("retrival"), "did you mean std:retrieval?"),
        (lambda: cookc.Template.open("no/such.cook"), "there is no file no/such.cook"),
        (lambda: cookc.Template.open("/"), "/ is a folder"),
        (lambda: cookc.Template.parse("fs.cook", "fn one() -> Int = 1\n"), "only holds functions"),
        (lambda: cookc.Template.parse("e.cook", ""), "prompt"),
    ],
)
def test_an_input_that_is_no_template_is_an_error(make, said):
    with pytest.raises(cookc.Error, match=".*") as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "make, name, near",
    [
        (lambda echo: echo.level("hardd").compile(), "hardd", "hard"),
        (lambda echo: echo.compile(lenght=4), "lenght", "length"),
        (lambda echo: echo.compile(length=1), "length", "2..9"),
        (lambda echo: echo.compile(length=2.5), "2.5", "length"),
        (lambda echo: echo.compile(length=10**30), "length", "2..9"),
        (lambda echo: echo.compile(length=float("nan")), "NaN", "length"),
    ],
)
def test_a_level_or_parameter_that_is_not_there_or_out_of_range_is_an_error(echo, make, name, near):
    with pytest.raises(cookc.Error) as caught:
        make(echo)
    assert name in str(caught.value) and near in str(caught.value)


@pytest.mark.parametrize("value", ["4", True, None, [4]])
def test_a_parameter_of_another_type_is_a_type_error(echo, value):
    with pytest.raises(TypeError, match="the parameter `length` must be an int, a float"):
        echo.compile(length=value)


def test_parameters_are_set_by_name_in_turn_or_as_keywords(echo):
    samplers = [
        echo.compile(length=5),
        echo.set("length", 5).compile(),
        echo.level("hard").set("length", 9).set("length", 5).compile(),
    ]
    assert [len(one[0].fields["words_"].split()) for one in samplers] == [5, 5, 5]
    assert samplers[0][0].key.set == "length=5"


def test_the_interpreter_draws_the_same(echo):
    native, interpreted = echo.level("hard").compile(), echo.level("hard").interpreted().compile()
    assert [native[i] for i in range(20)] == [interpreted[i] for i in range(20)]


def test_words_come_from_a_list_a_file_or_the_invented_ones(echo, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("red\ngreen\nblue\n")
    words = cookc.Vocabulary(["red", "green", "blue"])
    assert (len(words), words.words) == (3, ["red", "green", "blue"])
    replies = {echo.vocabulary(given).compile()[0].reply for given in (words, path, str(path))}
    assert len(replies) == 1 and replies <= {"red", "green", "blue"}
    few = cookc.Vocabulary.invented(64)
    assert echo.vocabulary(few).compile()[0].reply in few.words


@pytest.mark.parametrize(
    "make, said, kind",
    [
        (lambda: cookc.Vocabulary([]), "there is no word in it", ValueError),
        (lambda: cookc.Vocabulary(["a", "b c"]), "word 2: `b c` is more than one word", ValueError),
        (lambda: cookc.Vocabulary(["a", "a"]), "word 2: `a` is on word 1 already", ValueError),
        (lambda: cookc.Vocabulary.invented(0), "`count` must be in 1..4096", ValueError),
        (lambda: cookc.Vocabulary.open("no.txt"), "there is no file no.txt", cookc.Error),
        (lambda: cookc.Vocabulary.open(7), "`path` must be a path", TypeError),
    ],
)
def test_words_that_are_none_are_an_error(make, said, kind):
    with pytest.raises(kind) as caught:
        make()
    assert said in str(caught.value)


def test_too_few_words_are_an_error_that_says_how_many(echo):
    with pytest.raises(cookc.Error) as caught:
        echo.vocabulary(cookc.Vocabulary(["a", "b"])).compile()
    assert "2" in str(caught.value) and "3" in str(caught.value)


def test_templates_samplers_and_all_that_they_return_are_pickled(echo, tmp_path):
    (tmp_path / "animals.txt").write_text("cat\ndog\nowl\n")
    path = tmp_path / "zoo.cook"
    path.write_text('words animals = "animals.txt"\nx ~ pick(animals)\nprompt "{x}"\nreply "{x}"\n')
    opened = cookc.Template.open(path).compile()
    (tmp_path / "animals.txt").unlink()
    words = cookc.Vocabulary(["red", "green", "blue"])
    for sampler in (opened, echo.level("hard").compile(length=4), echo.vocabulary(words).compile()):
        again = pickle.loads(pickle.dumps(sampler))
        assert again.digest == sampler.digest
        sample, score = sampler[9], sampler.score(9, "a b")
        assert again[9] == sample
        for value in (sample, score, sample.key):
            assert pickle.loads(pickle.dumps(value)) == value
    assert pickle.loads(pickle.dumps(echo)).text == echo.text
    assert pickle.loads(pickle.dumps(words)).words == words.words
    with pytest.raises(cookc.Error) as caught:
        echo.level("hardd").compile()
    error = pickle.loads(pickle.dumps(caught.value))
    assert (str(error), error.code, error.line) == (
        str(caught.value),
        caught.value.code,
        caught.value.line,
    )
    assert error.diagnostics == caught.value.diagnostics


def test_a_parameter_may_be_one_of_some_names():
    text = (
        'param form in ["plain", "table"] = "plain"\nword ~ pick(vocab)\n'
        'rule right: word == word\nprompt "{word} {form}"\nreply "{word}"\n'
    )
    template = cookc.Template.parse("forms.cook", text)
    assert template.compile()[0].prompt.endswith(" plain")
    assert template.compile(form="table")[0].prompt.endswith(" table")
    with pytest.raises(cookc.Error, match="write `table`"):
        template.compile(form="tabel")
