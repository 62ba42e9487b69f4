"""Think modes and tags of a rendering, as a person writes them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ieat.pipeline.failures import ConfigError
from ieat.pipeline.render.modes import MODES, draw_mode, parse_modes
from ieat.pipeline.render.tags import parse_tags

IDS = [f"corpus/d{number}/000/stage2" for number in range(4000)]


@pytest.mark.parametrize("mode", MODES)
def test_one_mode_is_that_of_every_row(mode):
    modes = parse_modes(mode)
    assert modes.shares == {mode: 1.0}
    assert {draw_mode(row_id, modes, MODES) for row_id in IDS} == {(mode, mode)}


def test_shares_of_a_mix_are_made_to_sum_to_one_and_nothing_has_no_share():
    assert parse_modes("mix:2,1,1").shares == {"explicit": 0.5, "injected": 0.25, "implicit": 0.25}
    assert parse_modes("mix:0.3,0,0.1").shares == {
        "explicit": pytest.approx(0.75), "implicit": pytest.approx(0.25)
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "both", "mix:", "mix:1,1", "mix:1,1,1,1", "mix:1,-1,1", "mix:a,b,c", "mix:1,nan,1"]
)
def test_a_mode_that_is_none_is_refused_with_those_there_are(text):
    with pytest.raises(ConfigError, match="explicit, injected"):
        parse_modes(text)


def test_a_mix_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="one share must be above zero"):
        parse_modes("mix:0,0,0")


def test_many_rows_have_the_modes_by_their_shares():
    drawn = Counter(draw_mode(row_id, parse_modes("mix:2,1,1"), MODES).chosen for row_id in IDS)
    # 4000 draws of one half have a standard deviation of 32, of a quarter 27.
    assert abs(drawn["explicit"] - 2000) < 130
    assert abs(drawn["injected"] - 1000) < 110
    assert sum(drawn.values()) == len(IDS)


def test_a_mode_depends_on_the_id_alone_and_never_changes():
    modes = parse_modes("mix:1,1,1")
    assert [draw_mode(row_id, modes, MODES).chosen for row_id in IDS[:8]] == [
        "injected", "explicit", "explicit", "implicit",
        "implicit", "explicit", "implicit", "explicit",
    ]  # fmt: skip


def test_a_row_falls_to_modes_that_it_is_fit_for_by_their_shares():
    modes = parse_modes("mix:1,1,2")
    fallen = [
        found.chosen
        for row_id in IDS
        if (found := draw_mode(row_id, modes, ("explicit", "implicit"))).wanted == "injected"
    ]
    counts = Counter(fallen)
    assert set(counts) == {"explicit", "implicit"}
    assert abs(counts["implicit"] / len(fallen) - 2 / 3) < 0.06


def test_a_row_that_is_fit_for_no_mode_of_the_mix_has_none():
    assert draw_mode("a", parse_modes("mix:0,1,1"), ("explicit",)).chosen is None
    assert draw_mode("a", parse_modes("injected"), ("explicit",)) == ("injected", None)


@given(
    st.text(min_size=1),
    st.tuples(*[st.floats(0, 1e6)] * 3).filter(lambda shares: sum(shares) > 0),
    st.sets(st.sampled_from(MODES)),
)
def test_a_row_gets_a_mode_that_it_is_fit_for_and_that_has_a_share(row_id, shares, fit):
    modes = parse_modes("mix:" + ",".join(map(str, shares)))
    found = draw_mode(row_id, modes, fit)
    assert found.wanted in modes.shares
    assert found.chosen in (fit & set(modes.shares) or {None})
    if found.wanted in fit:
        assert found.chosen == found.wanted


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("think", "<think>\nsad\n</think>\n\nOh."),
        ("thought", "<thought>\nsad\n</thought>\n\nOh."),
        ("osum", "<think>sad<think end>Oh."),
        ("none", "sad\n\nOh."),
        (r"custom:[[,]]\n", "[[sad]]\nOh."),
    ],
)
def test_tags_stand_around_the_thinking(text, written):
    assert parse_tags(text).around("sad") + "Oh." == written


@pytest.mark.parametrize("text", ["", "thinks", "custom:", "custom:a", "custom:a,", "custom:a,b,c"])
def test_tags_that_are_none_are_refused_with_the_way_to_write_them(text):
    with pytest.raises(ConfigError, match="custom:OPEN,CLOSE"):
        parse_tags(text)
