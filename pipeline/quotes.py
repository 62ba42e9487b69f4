"""Find a quote in a turn: verbatim, but for Unicode forms and white space."""

import unicodedata
from collections.abc import Sequence

from ieat.schemas.attribution import Evidence
from ieat.schemas.audio import AudioSpan
from ieat.schemas.history import HeardTurn

_SAME = {
    "‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "‐": "-",
    "‑": "-", "…": "...",
}  # fmt: skip
_ODD = frozenset(_SAME)
_PAD = 0.05
"""Seconds kept around the words of a quote; recognizers cut words close."""


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """Return the code-point offsets of a quote in a text, or null when it does not stand there.

    Both are compared under NFKC, with typographic quotes and dashes as plain ones and runs of
    white space as one space. Letter case counts.
    """
    wanted, _ = _fold(quote.strip())
    folded, origins = _fold(text)
    wanted = wanted.strip()
    if not wanted:
        return None
    found = folded.find(wanted)
    if found < 0:
        return None
    first = origins[found]
    last = origins[found + len(wanted) - 1]
    end = last + 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return first, end


def _fold(text: str) -> tuple[str, Sequence[int]]:
    """Return the folded text and, for each of its characters, the offset it comes from."""
    if _is_folded(text):
        return text, range(len(text))
    folded: list[str] = []
    origins: list[int] = []
    at = 0
    while at < len(text):
        after = at + 1
        while after < len(text) and unicodedata.combining(text[after]):
            after += 1
        cluster = _SAME.get(text[at:after], unicodedata.normalize("NFKC", text[at:after]))
        for character in cluster:
            if character.isspace():
                if folded and folded[-1] == " ":
                    continue
                character = " "
            folded.append(character)
            origins.append(at)
        at = after
    return "".join(folded), origins


def _is_folded(text: str) -> bool:
    """Tell whether a text folds into itself, as most texts do: a hundred times as fast to see."""
    return (
        text == " ".join(text.split())
        and unicodedata.is_normalized("NFKC", text)
        and _ODD.isdisjoint(text)
        and not any(map(unicodedata.combining, text))
    )


def evidence_at(turn: HeardTurn, start: int, end: int) -> Evidence:
    """Return the evidence for a slice of a turn's clean text, with where it sounds."""
    audio, is_word_timed = _sound_of(turn, start, end)
    return Evidence(
        turn_index=turn.turn_index,
        speaker=turn.speaker,
        quote=turn.clean[start:end],
        start=start,
        end=end,
        audio=audio,
        is_word_timed=is_word_timed,
    )


def _sound_of(turn: HeardTurn, start: int, end: int) -> tuple[AudioSpan | None, bool]:
    """Return the span of the slice's words where their times are known, else the turn's."""
    if turn.audio is None or not turn.words:
        return turn.audio, False
    times: list[tuple[float, float]] = []
    at = 0
    for word in turn.words:
        text = word.text.strip()
        found = turn.clean.find(text, at) if text else -1
        if found < 0:
            continue
        at = found + len(text)
        if found < end and at > start:
            times.append((word.start, word.end))
    if not times:
        return turn.audio, False
    limit = turn.audio.end
    first = turn.audio.start + max(0.0, times[0][0] - _PAD)
    last = turn.audio.start + times[-1][1] + _PAD
    if limit is not None:
        last = min(last, limit)
    if last <= first:
        return turn.audio, False
    span = AudioSpan(
        uri=turn.audio.uri, channel=turn.audio.channel, start=round(first, 3), end=round(last, 3)
    )
    return span, True
