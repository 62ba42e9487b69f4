"""How much of a dialogue's questions a server's prefix cache can hold.

    python -m tests.bench_prefixes

A question shares with the one before it, of the same dialogue and stage, the bytes up to the first
that differs. What is counted is the share of all bytes but those of each dialogue's first question.
"""

import asyncio
import sys
from collections.abc import Callable
from itertools import pairwise

from ieat.pipeline.engines.joint import JointModel
from ieat.pipeline.engines.llm_attributor import LLMAttributor
from ieat.pipeline.failures import NotInStore
from ieat.pipeline.history import heard_turns, history_at
from ieat.pipeline.ports import Samples
from ieat.prompts.library import PromptLibrary
from ieat.schemas.emotion import Emotion, EmotionalState
from ieat.schemas.engine import Question, Sampling, StoredAnswer
from ieat.schemas.history import History
from tests.dialogues import dialogue, transcribed

WORDS = "and then nobody came to fetch us although it was raining and my bag was gone"
NUM_TURNS = 20


class Noting:
    """A model that notes what it is asked and answers nothing."""

    engine_id = "noting:model"

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    async def ask(
        self, question: Question, dialogue_id: str, decode: Callable[[], Samples] | None = None
    ) -> StoredAnswer:
        """Note a question."""
        self.asked.append("\n".join(m.content for m in question.messages).encode())
        raise NotInStore(message="nothing is answered here")


def shared_share(questions: list[bytes]) -> float:
    """Return the share of the bytes after the first question that equal the one before it."""
    shared = sum(common_length(before, after) for before, after in pairwise(questions))
    return shared / max(1, sum(map(len, questions[1:])))


def common_length(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts begin with in common."""
    for place, (ours, theirs) in enumerate(zip(one, other, strict=False)):
        if ours != theirs:
            return place
    return min(len(one), len(other))


def histories(max_turns: int) -> list[History]:
    """Return what is known at each turn of a dialogue of twenty turns."""
    talk = [(("ann", "bob")[n % 2], f"{n} {WORDS[n % 7 :]}") for n in range(NUM_TURNS)]
    of = transcribed(dialogue(talk, with_audio=False))
    turns = heard_turns(of.dialogue, of.sounds, of.transcript, (None,) * NUM_TURNS)
    return [history_at(of.dialogue, turns, n, max_turns) for n in range(NUM_TURNS)]


async def _questions(stage: str, max_turns: int) -> list[bytes]:
    noting = Noting()
    prompts, sampling = PromptLibrary({}), Sampling()
    for history in histories(max_turns):
        try:
            if stage == "joint":
                await JointModel(noting, prompts, sampling).ask(history)
            else:
                state = EmotionalState(
                    turn_index=history.last.turn_index,
                    speaker=history.last.speaker,
                    chosen=Emotion.ANGER,
                    chosen_from="text",
                )
                await LLMAttributor(noting, prompts, sampling, None).attribute(history, state)
        except NotInStore:  # noqa: PERF203 - every question ends so
            continue
    return noting.asked


def main() -> None:
    """Print the shares."""
    sys.stdout.write(f"{NUM_TURNS} turns; share of a question's bytes that the one before has\n")
    for stage in ("joint", "attribution"):
        for max_turns in (NUM_TURNS, 8):
            share = shared_share(asyncio.run(_questions(stage, max_turns)))
            sys.stdout.write(f"{stage:<14} last {max_turns:>2} turns shown {share:>8.0%}\n")


if __name__ == "__main__":
    main()
