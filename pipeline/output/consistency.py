"""Whether the voice of an answer fits its words: consistency of text and speech."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ieat.pipeline.output.cells import GOLD, recognizer_of, state_at
from ieat.pipeline.output.word_errors import count_errors, total
from ieat.schemas.cells import ConsistencyCell
from ieat.schemas.emotion import Emotion, EmotionLabel
from ieat.schemas.records import ComposedDialogue
from ieat.schemas.sample import ResponseStyle, Sample

EMOTIONS_OF_STYLE: dict[ResponseStyle, tuple[Emotion, ...]] = {
    ResponseStyle.COMFORT: (Emotion.NEUTRAL, Emotion.SAD, Emotion.HAPPY),
    ResponseStyle.ENCOURAGEMENT: (Emotion.HAPPY, Emotion.NEUTRAL),
    ResponseStyle.APOLOGY: (Emotion.SAD, Emotion.NEUTRAL),
    ResponseStyle.CONGRATULATION: (Emotion.HAPPY, Emotion.SURPRISE),
    ResponseStyle.JOY: (Emotion.HAPPY,),
    ResponseStyle.CONCERN: (Emotion.SAD, Emotion.FEAR, Emotion.NEUTRAL),
    ResponseStyle.SURPRISE: (Emotion.SURPRISE,),
    ResponseStyle.SADNESS: (Emotion.SAD,),
    ResponseStyle.CALM: (Emotion.NEUTRAL,),
    ResponseStyle.NEUTRAL: (Emotion.NEUTRAL,),
}
"""Emotions that a voice may be heard to have when it speaks in a style, the likeliest first.

Recognizers of speech emotion know the seven words only, so several may be right for one style, as
TELEVAL (arXiv 2507.18061) accepts a set for each answer. A comforting voice is heard as level, as
soft and low, or as warm; concern may sound anxious; anger and disgust fit no style. The table is a
judgment of ours, not a measurement.
"""


class _Intended(NamedTuple):
    """What the words of an answer are meant to sound like."""

    emotions: tuple[Emotion, ...]
    """Those that fit; empty when unknown."""
    given_by: Literal["style", "gold", "text"] | None


class _Spoken(NamedTuple):
    """One answering turn that sounds."""

    intended: EmotionLabel | None
    """What corpus or words say of it; null when unknown."""
    heard: EmotionLabel | None
    """What its voice says; null when unknown."""


def fits(intended: Sequence[Emotion], heard: Emotion | None) -> bool | None:
    """Tell whether a heard emotion is among those that fit; null where either is unknown."""
    return heard in intended if intended and heard is not None else None


def consistency_cell(composed: ComposedDialogue, sample: Sample) -> ConsistencyCell | None:
    """Return how the sound of a response fits its words; null where nothing of it is known.

    A written response has no sound yet: its cell says what a synthesized one should sound like.
    That of the corpus is intended as its turns are labeled, by the corpus or from their words, and
    heard as a voice labeler heard them. Answering turns have labels with `labels.speakers: all`, or
    where they are attributed themselves.
    """
    response = sample.response
    turns = sample.target.answer_turns if response.audio else ()
    spoken = [
        _spoken(composed, turn) for turn in turns if composed.dialogue.turns[turn].audio is not None
    ]
    intended = _intended(response.style, [turn.intended for turn in spoken])
    heard = _common([turn.heard for turn in spoken])
    errors = total(
        count_errors(
            composed.dialogue.turns[turn].text or "",
            composed.transcript.utterances[turn].clean,
            composed.dialogue.language,
        )
        for turn in turns
        # The corpus' own words against themselves would say nothing.
        if recognizer_of(composed, turn) != GOLD
    )
    agrees = _agrees(intended, spoken)
    if not intended.emotions and heard is None and agrees is None and errors.rate is None:
        return None
    return ConsistencyCell(
        intended=intended.emotions,
        intended_from=intended.given_by,
        heard=heard.emotion if heard else None,
        heard_confidence=heard.confidence if heard else None,
        heard_by=heard.labeler_id if heard else None,
        agrees=agrees,
        word_error_rate=errors.rate,
        num_words=errors.num_words if errors.rate is not None else None,
    )


def _spoken(composed: ComposedDialogue, turn_index: int) -> _Spoken:
    state = state_at(composed, turn_index)
    if state is None:
        return _Spoken(None, None)
    # The voice must not be held to itself, so the chosen label is no measure of what is intended.
    words = next((label for label in (state.gold, state.text) if _names(label)), None)
    return _Spoken(words, state.voice if _names(state.voice) else None)


def _names(label: EmotionLabel | None) -> bool:
    return label is not None and label.emotion is not None


def _intended(style: ResponseStyle | None, labels: Sequence[EmotionLabel | None]) -> _Intended:
    if style is not None:
        return _Intended(EMOTIONS_OF_STYLE[style], "style")
    label = _common(labels)
    if label is None or label.emotion is None:
        return _Intended((), None)
    return _Intended((label.emotion,), "gold" if label.source == "gold" else "text")


def _common(labels: Sequence[EmotionLabel | None]) -> EmotionLabel | None:
    """Return the least sure of the labels that all turns have alike; null where they differ."""
    named = [label for label in labels if label is not None]
    if not named or len(named) < len(labels) or len({label.emotion for label in named}) > 1:
        return None
    return min(named, key=lambda label: 1.0 if label.confidence is None else label.confidence)


def _agrees(intended: _Intended, spoken: Sequence[_Spoken]) -> bool | None:
    """Tell whether every answering turn is heard as it is intended; null where one is unknown."""
    found = [
        fits(
            intended.emotions if intended.given_by == "style" else _emotions(turn.intended),
            turn.heard.emotion if turn.heard else None,
        )
        for turn in spoken
    ]
    return None if not found or None in found else all(found)


def _emotions(label: EmotionLabel | None) -> tuple[Emotion, ...]:
    return () if label is None or label.emotion is None else (label.emotion,)
