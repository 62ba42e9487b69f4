"""Keep test sets out of what is trained on, as soon as words or sound are known.

What the corpus gives is looked up before anything is asked, transcribed words before they are
labeled, and written answers when they are there.
"""

import asyncio
from operator import attrgetter

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.failures import BadAudio
from ieat.pipeline.guard import Guard, Match, contaminated, find_in_talk
from ieat.pipeline.split_keys import HELD_OUT
from ieat.pipeline.steps import MapDialogues, StepContext
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import ComposedDialogue, Failure, TranscribedDialogue
from ieat.schemas.sample import Sample

GIVEN = "guard"
"""Name of the stage that looks at what the corpus gives."""
SAID = "guard words"
"""Name of the stage that looks at transcribed words."""
WRITTEN = "guard answers"
"""Name of the stage that looks at written answers."""


async def guard_given(dialogue: Dialogue, guard: Guard) -> Dialogue:
    """Return the dialogue if none of its words and sounds stands in a test set.

    Raises:
        RecordError: `contaminated`; a held-out dialogue never is.
    """
    if dialogue.split in HELD_OUT:
        return dialogue
    found = find_in_talk(guard, ((turn.speaker, turn.text or "") for turn in dialogue.turns))
    if found is not None:
        raise contaminated(*found)
    if guard.has_sounds:
        for turn in dialogue.turns:
            if turn.audio is not None:
                match = await asyncio.to_thread(_find_sound, guard, turn.audio)
                if match is not None:
                    raise contaminated(f"turn {turn.index}", match)
    return dialogue


async def guard_said(transcribed: TranscribedDialogue, guard: Guard) -> TranscribedDialogue:
    """Return the dialogue if none of its transcribed words stands in a test set.

    Raises:
        RecordError: `contaminated`; a held-out dialogue never is.
    """
    dialogue = transcribed.dialogue
    if dialogue.split not in HELD_OUT:
        said = zip(dialogue.turns, transcribed.transcript.utterances, strict=True)
        found = find_in_talk(guard, ((turn.speaker, words.clean) for turn, words in said))
        if found is not None:
            raise contaminated(*found)
    return transcribed


async def guard_written(composed: ComposedDialogue, guard: Guard) -> ComposedDialogue:
    """Return the dialogue without the targets whose written answer stands in a test set."""
    if composed.dialogue.split in HELD_OUT:
        return composed
    failures = [
        failure
        for sample in composed.samples
        if (failure := _failure_of(sample, guard)) is not None
    ]
    failed = {failure.turn_index for failure in failures}
    kept = tuple(one for one in composed.samples if one.target.turn_index not in failed)
    return composed.model_copy(
        update={"samples": kept, "failures": (*composed.failures, *failures)}
    )


def _failure_of(sample: Sample, guard: Guard) -> Failure | None:
    if sample.response.source != "written":
        return None
    found = find_in_talk(guard, [("", sample.response.text)])
    if found is None:
        return None
    error = contaminated("the written answer", found[1])
    return Failure(
        unit="target",
        turn_index=sample.target.turn_index,
        stage=WRITTEN,
        code=error.code,
        message=error.message,
        response_keys=sample.response.response_keys,
    )


def _find_sound(guard: Guard, span: AudioSpan) -> Match | None:
    try:
        return guard.find_sound(decode_span(span))
    except BadAudio:
        # Hearing the turn, which comes next, says what is wrong with its sound.
        return None


class GuardGiven(beam.PTransform):
    """Dialogues in; those that no test set holds out."""

    def __init__(self, context: StepContext) -> None:
        super().__init__()
        self._context = context

    def expand(self, dialogues: PCollection[Dialogue]) -> PCollection[Dialogue]:
        """Return the dialogues of which nothing stands in a test set."""
        return dialogues | MapDialogues(
            GIVEN, guard_given, attrgetter("guard"), Dialogue, self._context
        )


class GuardSaid(beam.PTransform):
    """Transcribed dialogues in; those whose words no test set holds out."""

    def __init__(self, context: StepContext) -> None:
        super().__init__()
        self._context = context

    def expand(
        self, dialogues: PCollection[TranscribedDialogue]
    ) -> PCollection[TranscribedDialogue]:
        """Return the dialogues whose words stand in no test set."""
        return dialogues | MapDialogues(
            SAID, guard_said, attrgetter("guard"), TranscribedDialogue, self._context
        )


class GuardWritten(beam.PTransform):
    """Composed dialogues in; the same without answers that a test set holds out."""

    def __init__(self, context: StepContext) -> None:
        super().__init__()
        self._context = context

    def expand(self, dialogues: PCollection[ComposedDialogue]) -> PCollection[ComposedDialogue]:
        """Return the dialogues, targets with such an answer as failures."""
        return dialogues | MapDialogues(
            WRITTEN, guard_written, attrgetter("guard"), ComposedDialogue, self._context
        )
