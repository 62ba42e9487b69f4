"""Compose the thinking of a target from all states and causes up to it."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import groupby
from string import Template
from typing import NamedTuple

from ieat.prompts.library import TemplateFile
from ieat.schemas.attribution import Attribution
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import VALENCE, Emotion, EmotionalState
from ieat.schemas.sample import Thinking

_STOPS = {Language.EN: ".", Language.ZH: "。"}
_SPACES = {Language.EN: " ", Language.ZH: ""}
_ENDS = (".", "!", "?", "。", "！", "？", "…", '."', '!"', '?"')


MAX_CAUSES = 2
"""Latest causes of a run of one emotion that are told; a long sulk is not retold whole."""


class _Run(NamedTuple):
    """Neighboring states of the same emotion; calm states between them do not part them."""

    emotion: Emotion
    states: tuple[EmotionalState, ...]


class _Phrasing(NamedTuple):
    """The template's phrasings, chosen by the row's id."""

    sections: Mapping[str, str]
    seed: str
    language: Language

    def say(self, section: str, place: int = 0, **values: str) -> str:
        """Return one phrasing of a section, filled; the same row always gets the same."""
        choices = [
            line.removeprefix("- ") for line in self.sections[section].splitlines() if line.strip()
        ]
        digest = hashlib.sha256(f"{self.seed}/{section}/{place}".encode()).digest()
        return Template(choices[int.from_bytes(digest[:8], "big") % len(choices)]).substitute(
            values
        )

    def join(self, parts: Sequence[str]) -> str:
        """Join sentences as the language does."""
        return _SPACES[self.language].join(part for part in parts if part)


def compose_thinking(
    template: TemplateFile,
    language: Language,
    row_id: str,
    states: Sequence[EmotionalState],
    attributions: Mapping[int, Attribution],
) -> Thinking:
    """Return the thinking before the answer to the last of the states.

    A calm last state carries the latest cause on where that was an unpleasant one, which calm
    alone does not resolve; a wholly calm history gives one plain line.

    Args:
        template: The template `thinking` in the dialogue's language.
        language: The dialogue's language.
        row_id: Chooses among the phrasings.
        states: Known states of the user up to the target, in turn order; not empty.
        attributions: Attribution of each state that is not neutral, by its turn.
    """
    phrasing = _Phrasing(template.sections, row_id, language)
    felt = [state for state in states if state.chosen not in (None, Emotion.NEUTRAL)]
    runs = [
        _Run(emotion, tuple(run))
        for emotion, run in groupby(felt, key=lambda state: state.chosen)
        if emotion is not None
    ]
    is_resolved = (
        states[-1].chosen is Emotion.NEUTRAL and bool(runs) and VALENCE[runs[-1].emotion] >= 0
    )
    if not runs:
        text = phrasing.say("neutral_history")
    else:
        told_as_past = runs if is_resolved else runs[:-1]
        parts = [
            phrasing.say(
                "earlier",
                place,
                state=_feeling(phrasing, run, place),
                cause=_causes(phrasing, run, attributions, place),
            )
            for place, run in enumerate(told_as_past)
        ]
        if is_resolved:
            parts.append(phrasing.say("now_neutral"))
        else:
            place = len(runs) - 1
            parts.append(
                phrasing.say(
                    _opening(states[-1], runs),
                    place,
                    state=_feeling(phrasing, runs[-1], place),
                    cause=_causes(phrasing, runs[-1], attributions, place, is_current=True),
                )
            )
            parts.append(phrasing.say("close"))
        text = phrasing.join(parts)
    return Thinking(
        text=text,
        template_id=template.prompt_id,
        template_sha256=template.sha256,
        state_turns=tuple(state.turn_index for state in felt),
    )


def _opening(last: EmotionalState, runs: Sequence[_Run]) -> str:
    """Return the section that introduces the state of the target."""
    if last.chosen is Emotion.NEUTRAL:
        return "now_calm"
    if len(runs[-1].states) > 1:
        return "now_again"
    return "now_changed" if len(runs) > 1 else "now"


def _feeling(phrasing: _Phrasing, run: _Run, place: int) -> str:
    """Return the emotion in words, with its degree where that is known."""
    emotion = phrasing.say(run.emotion.value)
    intensity = run.states[-1].intensity
    if intensity is None:
        return emotion
    return phrasing.say(f"degree_{intensity.value}", place, emotion=emotion)


def _causes(
    phrasing: _Phrasing,
    run: _Run,
    attributions: Mapping[int, Attribution],
    place: int,
    *,
    is_current: bool = False,
) -> str:
    """Return what brought a run about; the current state's appraisal and quote come with it."""
    parts: list[str] = []
    for state in run.states[-MAX_CAUSES:]:
        for cause in attributions[state.turn_index].causes:
            quote = cause.evidence[0] if cause.evidence else None
            is_last = is_current and state is run.states[-1]
            # An extractive cause has no sentence of its own: its event is the quote.
            is_worded = quote is None or cause.event != quote.quote
            if is_worded:
                parts.append(phrasing.say("event", place, event=_sentence(phrasing, cause.event)))
            if is_last and cause.appraisal:
                parts.append(
                    phrasing.say("appraisal", place, appraisal=_sentence(phrasing, cause.appraisal))
                )
            if quote is not None and (is_last or not is_worded):
                section = "quote" if quote.speaker == state.speaker else "quote_other"
                parts.append(phrasing.say(section, place, quote=quote.quote.rstrip(".,;。，；")))
    return phrasing.join(list(dict.fromkeys(parts)))


def _sentence(phrasing: _Phrasing, text: str) -> str:
    return text if text.endswith(_ENDS) else text + _STOPS[phrasing.language]
