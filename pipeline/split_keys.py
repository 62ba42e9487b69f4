"""What dialogues may share that must not lie in two splits: people, and what they say."""

from typing import Literal

from ieat.pipeline.fingerprints import has_length, hash_words, words_of
from ieat.schemas.dialogue import Dialogue

SplitBy = Literal["speaker", "script"]

TRAIN = "train"
"""The split that is trained on; dialogues of it alone may be given another."""

HELD_OUT = frozenset({"dev", "test", "valid", "validation", "eval"})
"""Splits that nothing is trained on."""

SCRIPT_WORDS = 8
"""Least words that make a script: shorter ones are said by chance in unrelated dialogues."""
SCRIPT_CHARACTERS = 12
"""The same for Chinese, characters."""


def words_by_speaker(dialogue: Dialogue) -> dict[str, tuple[str, ...]]:
    """Return the corpus' words of every speaker, over all turns in order, as they are compared."""
    said: dict[str, list[str]] = {}
    for turn in dialogue.turns:
        said.setdefault(turn.speaker, []).extend(words_of(turn.text or ""))
    return {speaker: tuple(words) for speaker, words in said.items()}


def speaker_ids(dialogue: Dialogue) -> tuple[str, ...]:
    """Return `corpus/name` of the speakers who are the same people in the whole corpus."""
    if dialogue.speaker_scope != "corpus":
        return ()
    return tuple(sorted({f"{dialogue.corpus}/{turn.speaker}" for turn in dialogue.turns}))


def script_ids(dialogue: Dialogue) -> tuple[str, ...]:
    """Return what names the script: the corpus' own id, and hashes of the words where given.

    The words of every speaker count by themselves too: users of HumDial speak independently of
    the answers, so the same script may come with others.
    """
    spoken = words_by_speaker(dialogue)
    whole = tuple(word for turn in dialogue.turns for word in words_of(turn.text or ""))
    hashes = {
        f"words:{hash_words(words)}"
        for words in (whole, *spoken.values())
        if has_length(words, SCRIPT_WORDS, SCRIPT_CHARACTERS)
    }
    own = (f"{dialogue.corpus}/{dialogue.script}",) if dialogue.script else ()
    return (*own, *sorted(hashes))


def split_keys(dialogue: Dialogue, by: tuple[SplitBy, ...]) -> tuple[str, ...]:
    """Return everything that joins a dialogue to others, each with its kind before it."""
    keys = [f"dialogue {dialogue.dialogue_id}"]
    if "speaker" in by:
        keys += [f"speaker {found}" for found in speaker_ids(dialogue)]
    if "script" in by:
        keys += [f"script {found}" for found in script_ids(dialogue)]
    return tuple(keys)
