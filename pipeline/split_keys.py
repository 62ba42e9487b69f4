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


def speaker_ids(dialogue: Dialogue) -> tuple[str, ...]:
    """Return `corpus/name` of the speakers who are the same people in the whole corpus."""
    if dialogue.speaker_scope != "corpus":
        return ()
    return tuple(sorted({f"{dialogue.corpus}/{turn.speaker}" for turn in dialogue.turns}))


def script_ids(dialogue: Dialogue) -> tuple[str, ...]:
    """Return what names the script: the corpus' own id, and hashes of the words where given.

    The words of the one who speaks first count by themselves too: users of HumDial speak
    independently of the answers, so the same script may come with others. Those of the others do
    not: a canned answer would join what has nothing in common.
    """
    first = dialogue.turns[0].speaker
    said = [(turn.speaker, words_of(turn.text or "")) for turn in dialogue.turns]
    whole = tuple(word for _, words in said for word in words)
    begun = tuple(word for speaker, words in said if speaker == first for word in words)
    hashes = {
        f"words:{hash_words(words)}"
        for words in (whole, begun)
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
