"""Dialogues for tests, made by keyword defaults."""

from collections.abc import Sequence

from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Dialogue, Language, Turn
from ieat.schemas.records import HeardDialogue, TranscribedDialogue
from ieat.schemas.transcript import Transcript, Utterance
from tests.fakes import measured

TALK = (
    ("ann", "My bag is gone"),
    ("bob", "Where did you leave it"),
    ("ann", "Somebody stole it from my car"),
    ("bob", "That is awful"),
    ("ann", "I will call the police"),
)


def dialogue(
    talk: Sequence[tuple[str, str]] = TALK,
    *,
    name: str = "d1",
    emotions: Sequence[str | None] | None = None,
    language: Language = Language.EN,
    with_audio: bool = True,
    is_given: bool = True,
) -> Dialogue:
    return Dialogue(
        corpus="corpus",
        name=name,
        language=language,
        source=f"talks.jsonl:{name}",
        turns=tuple(
            Turn(
                index=index,
                source_turn_id=str(index),
                speaker=speaker,
                text=words or None,
                emotion=emotions[index] if emotions else None,
                audio=AudioSpan(uri=f"{name}-{index}.wav") if with_audio else None,
                is_given=is_given,
            )
            for index, (speaker, words) in enumerate(talk)
        ),
    )


def heard(of: Dialogue) -> HeardDialogue:
    return HeardDialogue(
        dialogue=of,
        sounds=tuple(None if turn.audio is None else measured(turn.audio) for turn in of.turns),
    )


def transcribed(of: Dialogue) -> TranscribedDialogue:
    return TranscribedDialogue(
        dialogue=of,
        sounds=heard(of).sounds,
        transcript=Transcript(
            recognizer_id="gold",
            utterances=tuple(
                Utterance(turn_index=turn.index, clean=turn.text or "", tagged=turn.text or "")
                for turn in of.turns
            ),
        ),
    )
