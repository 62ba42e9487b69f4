"""Engines for the Beam tests: plain classes at module level, so that they can be pickled."""

import asyncio
from functools import partial

from ieat.pipeline.failures import BadAudio, EngineUnavailable
from ieat.pipeline.run_state import RunState
from ieat.pipeline.steps import EngineRoom
from ieat.schemas.audio import AudioSpan, Sound
from ieat.schemas.dialogue import Dialogue
from ieat.schemas.records import HeardDialogue
from tests.fakes import measured

STAGES = ("hear",)


class Ear:
    """Engines with one role: hears all but the spans whose URI says otherwise."""

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.most_at_once = 0
        self.num_closed = 0
        self._at_once = 0

    async def hear(self, dialogue: Dialogue) -> HeardDialogue:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0.01)
        self._at_once -= 1
        return HeardDialogue(
            dialogue=dialogue,
            sounds=tuple(self.examine(turn.audio) for turn in dialogue.turns if turn.audio),
        )

    def examine(self, span: AudioSpan) -> Sound:
        if "broken" in span.uri:
            raise BadAudio("audio_undecodable", f"{span.uri} is no audio")
        if "gone" in span.uri:
            raise EngineUnavailable("the ear is gone; the same command goes on")
        if "bug" in span.uri:
            raise ZeroDivisionError("a mistake of ours")
        return measured(span)

    async def close(self) -> None:
        self.num_closed += 1


async def hear(dialogue: Dialogue, ear: Ear) -> HeardDialogue:
    return await ear.hear(dialogue)


def itself(engines: Ear) -> Ear:
    return engines


def room(max_failed_ratio: float = 1.0) -> EngineRoom[Ear]:
    return EngineRoom(Ear, partial(RunState, STAGES, max_failed_ratio), "first")
