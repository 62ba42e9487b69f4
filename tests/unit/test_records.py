"""What every record promises: it is frozen, closed, described, and its invariants hold."""

import importlib
import pkgutil
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import ieat.schemas
from ieat.schemas.attribution import UNQUOTED_KINDS, Attribution, Cause, CauseKind, Evidence
from ieat.schemas.audio import AudioSpan
from ieat.schemas.base import Value
from ieat.schemas.emotion import (
    VALENCE,
    Emotion,
    EmotionalState,
    Trajectory,
    trace_trajectory,
)


def modules() -> list[ModuleType]:
    return [
        importlib.import_module(f"ieat.schemas.{found.name}")
        for found in pkgutil.iter_modules(ieat.schemas.__path__)
    ]


def records() -> list[type[Value]]:
    return [
        kind
        for module in modules()
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Value)
        and kind is not Value
        and kind.__module__ == module.__name__
    ]


def test_there_are_records_to_look_at() -> None:
    assert {"Dialogue", "Stage2Row", "Attribution"} <= {record.__name__ for record in records()}


@pytest.mark.parametrize("record", records(), ids=lambda record: record.__name__)
def test_every_record_is_frozen_and_closed(record: type[Value]) -> None:
    assert record.model_config["frozen"] is True
    assert record.model_config["extra"] == "forbid"


@pytest.mark.parametrize("record", records(), ids=lambda record: record.__name__)
def test_every_field_has_a_sentence(record: type[Value]) -> None:
    wanting = [
        name
        for name, field in record.model_fields.items()
        if not (field.description or "").rstrip().endswith(".")
    ]
    assert wanting == []


@pytest.mark.parametrize("record", records(), ids=lambda record: record.__name__)
def test_no_record_holds_a_list_or_a_bag(record: type[Value]) -> None:
    written = {name: str(field.annotation) for name, field in record.model_fields.items()}
    assert [name for name, hint in written.items() if "list[" in hint or "Any" in hint] == []


emotions = st.none() | st.sampled_from(Emotion)


def states(chosen: list[Emotion | None]) -> tuple[EmotionalState, ...]:
    """One state every other turn."""
    return tuple(
        EmotionalState(
            turn_index=2 * place,
            speaker="ann",
            chosen=emotion,
            chosen_from=None if emotion is None else "text",
        )
        for place, emotion in enumerate(chosen)
    )


@given(st.lists(emotions, max_size=12))
def test_shifts_lead_from_each_known_emotion_to_the_next(chosen: list[Emotion | None]) -> None:
    trajectory = trace_trajectory("ann", states(chosen))
    known = [emotion for emotion in chosen if emotion is not None]
    walked = known[:1]
    for emotion in known[1:]:
        if emotion is not walked[-1]:
            walked.append(emotion)
    assert len(trajectory.shifts) == max(len(walked) - 1, 0)
    steps = pairwise(walked)
    assert [(shift.from_emotion, shift.to_emotion) for shift in trajectory.shifts] == list(steps)


@given(st.lists(emotions, max_size=12))
def test_a_shift_has_the_direction_of_its_valences(chosen: list[Emotion | None]) -> None:
    sign = {"better": 1, "level": 0, "worse": -1}
    for shift in trace_trajectory("ann", states(chosen)).shifts:
        change = VALENCE[shift.to_emotion] - VALENCE[shift.from_emotion]
        assert sign[shift.direction] == (change > 0) - (change < 0)
        assert shift.from_turn < shift.turn_index


@given(st.lists(emotions, max_size=12), emotions)
def test_a_later_turn_changes_no_earlier_shift(
    chosen: list[Emotion | None], later: Emotion | None
) -> None:
    before = trace_trajectory("ann", states(chosen)).shifts
    assert trace_trajectory("ann", states([*chosen, later])).shifts[: len(before)] == before


@given(st.lists(emotions, min_size=2, max_size=12))
def test_a_trajectory_refuses_states_out_of_order(chosen: list[Emotion | None]) -> None:
    with pytest.raises(ValidationError, match="not ordered by turn"):
        Trajectory(speaker="ann", states=states(chosen)[::-1], shifts=())


@given(st.lists(emotions, max_size=12))
def test_a_trajectory_survives_its_json(chosen: list[Emotion | None]) -> None:
    trajectory = trace_trajectory("ann", states(chosen))
    assert Trajectory.model_validate_json(trajectory.model_dump_json()) == trajectory


def test_a_trajectory_refuses_shifts_that_do_not_follow() -> None:
    told = trace_trajectory("ann", states([Emotion.HAPPY, Emotion.SAD]))
    with pytest.raises(ValidationError, match="do not follow"):
        Trajectory(speaker="ann", states=told.states, shifts=())


def test_a_trajectory_refuses_the_state_of_another_speaker() -> None:
    with pytest.raises(ValidationError, match="one speaker"):
        Trajectory(speaker="bob", states=states([None]), shifts=())


times = st.floats(min_value=0, max_value=1e6)


@given(times, st.none() | times)
def test_an_audio_span_ends_after_it_starts(start: float, end: float | None) -> None:
    if end is None or end > start:
        assert AudioSpan(uri="a.wav", start=start, end=end).start == start
    else:
        with pytest.raises(ValidationError, match="not after its start"):
            AudioSpan(uri="a.wav", start=start, end=end)


@given(st.floats(max_value=0, exclude_max=True) | st.just(float("nan")) | st.just(float("inf")))
def test_an_audio_span_starts_at_a_time(start: float) -> None:
    with pytest.raises(ValidationError):
        AudioSpan(uri="a.wav", start=start)


def evidence(turn_index: int, quote: str = "no", start: int = 0) -> Evidence:
    return Evidence(
        turn_index=turn_index,
        speaker="ann",
        quote=quote,
        start=start,
        end=start + len(quote),
        audio=None,
        is_word_timed=False,
    )


@given(st.text(min_size=1), st.integers(0, 1000), st.integers(0, 1000))
def test_evidence_has_offsets_of_the_quotes_length(quote: str, start: int, end: int) -> None:
    written = evidence(0, quote, start).model_dump() | {"end": end}
    if end - start == len(quote):
        assert Evidence.model_validate(written).quote == quote
    else:
        with pytest.raises(ValidationError, match="offsets do not fit"):
            Evidence.model_validate(written)


@given(st.sampled_from(CauseKind))
def test_only_causes_that_nobody_puts_into_words_go_without_a_quote(kind: CauseKind) -> None:
    if kind in UNQUOTED_KINDS:
        assert Cause(event="rain", appraisal=None, kind=kind, evidence=()).evidence == ()
    else:
        with pytest.raises(ValidationError, match="needs evidence"):
            Cause(event="rain", appraisal=None, kind=kind, evidence=())


@given(st.integers(0, 20), st.lists(st.integers(0, 20), min_size=1, max_size=4))
def test_an_attribution_cites_no_turn_after_its_state(state: int, cited: list[int]) -> None:
    cause = Cause(
        event="rain",
        appraisal=None,
        kind=CauseKind.EXPLICIT,
        evidence=tuple(evidence(turn) for turn in cited),
    )
    written = {
        "turn_index": state,
        "speaker": "ann",
        "emotion": "sad",
        "intensity": None,
        "causes": (cause,),
        "attributor_id": "extractive",
    }
    if max(cited) <= state:
        assert Attribution.model_validate(written).causes == (cause,)
    else:
        with pytest.raises(ValidationError, match="lies after the state"):
            Attribution.model_validate(written)
