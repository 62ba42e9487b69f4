"""Claims about how a voice sounds, and what of a turn can hold them."""

import re
from typing import NamedTuple

from ieat.schemas.history import HeardTurn, History


class _Claim(NamedTuple):
    """One kind of claim."""

    cue: str
    """Cue of the measured voice that holds it; another name where no cue can."""
    english: tuple[str, ...]
    """Regular expressions of English phrases that make it."""
    chinese: tuple[str, ...]
    """Chinese phrases that make it."""
    events: tuple[str, ...]
    """Beginnings of the tags of non-speech sounds, and of vocal events, that hold it."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """The phrases in both languages; compiled once by `re` itself."""
        english = "|".join(self.english)
        return re.compile(rf"\b(?:{english})\b|{'|'.join(self.chinese)}", re.IGNORECASE)


CLAIMS = (
    _Claim(
        "sob",
        ("sob(?:s|bed|bing)?", "weep(?:s|ing)?", "wept", "in tears", "tearful(?:ly)?"),
        ("哽咽", "抽泣", "啜泣", "哭腔", "哭着", "哭泣"),
        ("sob", "cry", "weep", "tear", "哭", "哽咽", "抽泣"),
    ),
    _Claim(
        "tremble",
        (
            "trembl(?:es?|ed|ing)",
            "quiver(?:s|ed|ing)?",
            "shak(?:y|ing) voice",
            r"voice (?:is |was )?(?:shak|crack|break)\w*",
        ),
        ("颤抖", "发抖", "声音发颤"),
        ("trembl", "quiver", "shak", "颤", "抖"),
    ),
    _Claim("sigh", ("sigh(?:s|ed|ing)?",), ("叹气", "叹息", "叹了口气"), ("sigh", "叹")),
    _Claim(
        "laugh",
        ("laugh(?:s|ed|ing|ter)?", "chuckl(?:es?|ed|ing)", "giggl(?:es?|ed|ing)"),
        ("大笑", "笑着说", "笑声"),
        ("laugh", "chuckl", "giggl", "笑"),
    ),
    _Claim(
        "louder",
        (
            "shout(?:s|ed|ing)?",
            "yell(?:s|ed|ing)?",
            "scream(?:s|ed|ing)?",
            "rais(?:es|ed|ing) (?:their|his|her) voice",
            "loud(?:ly)? voice",
        ),
        ("大喊", "大叫", "吼", "提高嗓门", "提高了嗓门", "提高音量", "提高了音量"),
        ("shout", "yell", "scream", "喊", "叫", "吼"),
    ),
    _Claim(
        "quieter",
        (
            "whisper(?:s|ed|ing)?",
            "murmur(?:s|ed|ing)?",
            "mumbl(?:es?|ed|ing)",
            "quiet(?:ly)? voice",
        ),
        ("低语", "小声", "轻声", "喃喃"),
        ("whisper", "murmur", "低语"),
    ),
    _Claim(
        "faster",
        ("hurried tone", "speak(?:s|ing)? (?:fast|quickly)", "rapid speech"),
        ("语速快", "语速很快", "语速变快", "急促"),
        (),
    ),
)


def find_unheld_claim(text: str, history: History) -> str | None:
    """Return the first claim about a voice that nothing in the history holds, as it is worded.

    Tags of non-speech sounds, vocal events that a labeler heard, measured cues, and the speakers'
    own words hold a claim.
    """
    for claim in CLAIMS:
        found = claim.pattern.search(text)
        if found and not any(_holds(claim, turn) for turn in history.turns):
            return found.group()
    return None


def _holds(claim: _Claim, turn: HeardTurn) -> bool:
    if turn.cues is not None and claim.cue in turn.cues.words:
        return True
    sounds = (*turn.events, *(event.value for event in turn.voice_events))
    if claim.events and any(sound.startswith(claim.events) for sound in sounds):
        return True
    return claim.pattern.search(turn.clean) is not None
