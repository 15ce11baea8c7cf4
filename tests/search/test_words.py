"""How texts are cut into words, folded and reduced to stems, and how well one fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.examples import examples
from synovia.search import MAX_WORD, Analyzer, fold, languages, rank, terms_of, words_in


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Knee angle-test, 3.5kg", "knee angle test 3 5kg"),
        ("don't O'Brien's knees’", "dont o briens knees"),
        ("l’eau dell'acqua", "l eau dell acqua"),
        ("Étude STRASSE straße ﬁne Ｗide", "etude strasse strasse fine wide"),
        ("E\u0301tude", "etude"),
        ("русский йод", "русскии иод"),
        ("हिन्दी में", "हिन्दी में"),
        ("한국어 검색", "한국어 검색"),
        ("膝関節の角度 ok", "膝関 関節 節の の角 角度 度 ok"),
        ("snake_case", "snake case"),
        ("\u0301 … \0", ""),
        ("x" * 100, "x" * MAX_WORD),
    ],
)
def test_texts_are_cut_into_folded_words(text: str, words: str) -> None:
    assert [fold(word.text) for word in words_in(text)] == words.split()


@pytest.mark.parametrize(
    ("language", "same"),
    [
        ("english", "Angle angles ANGLE's"),
        ("german", "Gelenk gelenke Gelenken"),
        ("french", "étude études"),
        ("russian", "собака собаки собаку"),
        ("spanish", "rodilla rodillas"),
    ],
)
def test_words_of_a_language_have_stems(language: str, same: str) -> None:
    assert language in languages()
    assert len({stem for _, stem in Analyzer(language).terms(same)}) == 1
    assert len({stem for _, stem in Analyzer(None).terms(same)}) > 1


def test_what_is_searched_for_counts_once_and_its_last_word_stays_last() -> None:
    english = Analyzer("english")
    assert [word for word, _ in english.searched("knee angle knee")] == ["angle", "knee"]
    assert [word for word, _ in english.searched("膝関節")] == ["膝関", "関節"]
    assert [word for word, _ in english.searched("節")] == ["節"]
    assert english.searched(" ?! ") == []


def test_the_rank_tells_what_fits_better() -> None:
    english = Analyzer("english")

    def fit(*texts: str, searched: str = "bend") -> int:
        return rank(terms_of(english, texts), english.searched(searched), prefix=True)

    assert fit("bend", "") > fit("x", "bend") > 0, "the first field counts more"
    as_written, by_stem = (fit(text, searched="bends") for text in ("bends", "bend"))
    assert as_written > by_stem > fit("bendable", searched="bend") > 0, (
        "as written, then by the stem, then as a beginning"
    )
    assert fit("bend the knee") > fit("bend " + "the knee " * 50), "a short text more than a long one"
    assert fit("bend bend x") > fit("bend x x"), "twice more than once"
    assert fit("knee bend", searched="knee bend") > fit("knee bend", searched="bend")
    assert fit("something else") == 0


@pytest.mark.slow
@examples(60)
@given(st.text(max_size=40))
def test_any_text_has_words_that_are_found_by_themselves(text: str) -> None:
    for language in (None, "english", "arabic", "turkish"):
        analyzer = Analyzer(language)
        terms = terms_of(analyzer, [text])
        assert terms.words == sorted(set(terms.words))
        assert len(terms.weights) == len(terms.words)
        for word, stem in analyzer.searched(text):
            assert 0 < len(word) <= MAX_WORD
            assert {word, stem} <= {*terms.words}


def test_characters_that_stand_for_many_others_do_not_make_a_text_long() -> None:
    wide = "\ufdfa"  # stands for 18
    assert len([*words_in(f"{wide} " * 50)]) == 200, "an ordinary text counts as a whole"
    assert sum(len(word.text) for word in words_in(f"{wide} " * 10_000)) <= 4 * 20_000
