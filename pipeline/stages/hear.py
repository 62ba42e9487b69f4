"""Find, decode and measure the sound of every turn, before anything is paid for."""

import asyncio
from collections.abc import Callable
from operator import attrgetter

import apache_beam as beam
from apache_beam.pvalue import PCollection

from ieat.pipeline.steps import MapDialogues, StepContext
from ieat.schemas.audio import AudioSpan, Sound
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import HeardDialogue

STAGE = "hear"


async def hear(dialogue: Dialogue, examine: Callable[[AudioSpan], Sound]) -> HeardDialogue:
    """Measure all turns; one whose sound cannot be used fails the dialogue.

    Decoding and measuring run in threads: they leave Python for most of their time.

    Raises:
        BadAudio: The sound of a turn cannot be found, decoded or used.
    """
    sounds = [
        None if turn.audio is None else await asyncio.to_thread(examine, turn.audio)
        for turn in dialogue.turns
    ]
    return HeardDialogue(dialogue=dialogue, sounds=tuple(sounds))


class HearTurns(beam.PTransform):
    """Dialogues in, dialogues with measured sound out."""

    def __init__(self, context: StepContext) -> None:
        super().__init__()
        self._context = context

    def expand(self, dialogues: PCollection[Dialogue]) -> PCollection[HeardDialogue]:
        """Return the dialogues whose audio is all usable."""
        return dialogues | MapDialogues(
            STAGE,
            hear,
            attrgetter("examine"),
            HeardDialogue,
            self._context,
        )
