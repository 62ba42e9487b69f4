"""Hold found causes against gold ones, and found emotions against gold ones, turn by turn."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ieat.pipeline.bench.bootstrap import Floats
from ieat.pipeline.bench.gold import GoldCause, GoldDialogue
from ieat.pipeline.quotes import locate
from ieat.pipeline.stages.transcribe import split_tags
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import Emotion

_TOKEN = {
    Language.EN: re.compile(r"\w+(?:['’]\w+)*"),
    # Chinese is not written in words; a run of Latin letters or digits among it is one token.
    Language.ZH: re.compile(r"[A-Za-z0-9]+|[^\W_]"),
}


class Place(NamedTuple):
    """A turn of a dialogue of the file, both counted from 0."""

    dialogue: int
    turn: int


class Slice(NamedTuple):
    """A piece of the words of a turn."""

    turn: int
    """0-based turn."""
    start: int
    """First code point in the turn's clean words."""
    end: int
    """Code point after the last one."""


class FoundCause(NamedTuple):
    """What somebody gives as the cause of one state; a failure gives nothing."""

    slices: tuple[Slice, ...] = ()
    """The quotes, by turn."""
    code: str | None = None
    """Why nothing was found, as a code (docs/codes.md); null when something was."""


class FoundEmotion(NamedTuple):
    """What somebody gives as the emotion of one turn."""

    emotion: Emotion | None = None
    """The emotion; null when none was given."""
    code: str | None = None
    """Why the turn has none, where it failed; null for one who abstains."""


class Hits(NamedTuple):
    """How many things are right, were found, and are wanted."""

    right: int
    found: int
    wanted: int


class CauseScore(NamedTuple):
    """One state's found cause against its gold cause."""

    place: Place
    emotion: Emotion
    kinds: tuple[str, ...]
    cited: tuple[int, ...]
    """The turns that were found."""
    code: str | None
    """Why nothing was found."""
    turns: Hits
    """Cited turns."""
    tokens: Hits
    """Words (English) or characters (Chinese) that lie in a span."""
    spans: Hits
    """Spans that are the same, token for token."""


def tokens_of(text: str, language: Language) -> list[tuple[int, int]]:
    """Return the offsets of the tokens of a text: words (English) or characters (Chinese)."""
    return [found.span() for found in _TOKEN[language].finditer(text)]


class SpokenDialogue:
    """The clean words of a dialogue and their tokens."""

    def __init__(self, gold: GoldDialogue) -> None:
        self.clean = [split_tags(turn.text).clean for turn in gold.turns]
        self._tokens = [tokens_of(text, gold.language) for text in self.clean]

    def whole(self, turn: int) -> Slice:
        """Return all words of a turn."""
        return Slice(turn, 0, len(self.clean[turn]))

    def covered(self, piece: Slice) -> frozenset[tuple[int, int]]:
        """Return turn and number of the tokens that a piece holds, also those it cuts."""
        return frozenset(
            (piece.turn, number)
            for number, (start, end) in enumerate(self._tokens[piece.turn])
            if start < piece.end and end > piece.start
        )


def gold_slices(cause: GoldCause, spoken: SpokenDialogue) -> tuple[list[Slice], int]:
    """Return the marked words of a cause, and how many marks stand in no cited turn."""
    slices, num_lost = [], 0
    for span in cause.spans:
        offsets = None
        if span.turn_index is not None:
            offsets = locate(span.text, spoken.clean[span.turn_index])
        if span.turn_index is None or offsets is None:
            num_lost += 1
        else:
            slices.append(Slice(span.turn_index, *offsets))
    return slices, num_lost


def score_causes(
    dialogues: Sequence[GoldDialogue], found: Mapping[Place, FoundCause]
) -> list[CauseScore]:
    """Score every gold cause; one that nobody found counts as missed.

    Args:
        dialogues: The dialogues of the file.
        found: What was found, by place of the state.
    """
    scores = []
    for number, gold in enumerate(dialogues):
        spoken = SpokenDialogue(gold)
        for cause in gold.scored_causes():
            place = Place(number, cause.turn_index)
            emotion = gold.turns[cause.turn_index].emotion
            if emotion is None:
                raise ValueError(f"a scored cause without an emotion: {place}")
            given = found.get(place, FoundCause())
            scores.append(_score(place, emotion, cause, given, spoken))
    return scores


def _score(
    place: Place,
    emotion: Emotion,
    cause: GoldCause,
    given: FoundCause,
    spoken: SpokenDialogue,
) -> CauseScore:
    wanted_slices, _ = gold_slices(cause, spoken)
    cited = {piece.turn for piece in given.slices}
    wanted = [covered for piece in wanted_slices if (covered := spoken.covered(piece))]
    found = [covered for piece in given.slices if (covered := spoken.covered(piece))]
    wanted_tokens = frozenset[tuple[int, int]]().union(*wanted)
    found_tokens = frozenset[tuple[int, int]]().union(*found)
    same = Counter(wanted) & Counter(found)
    # Without marked words there is nothing to hold quotes against.
    is_marked = bool(cause.spans)
    return CauseScore(
        place=place,
        emotion=emotion,
        kinds=cause.kinds,
        cited=tuple(sorted(cited)),
        code=given.code,
        turns=Hits(len(cited & set(cause.cause_turns)), len(cited), len(cause.cause_turns)),
        tokens=Hits(
            len(wanted_tokens & found_tokens),
            len(found_tokens) if is_marked else 0,
            len(wanted_tokens),
        ),
        spans=Hits(same.total(), len(found) if is_marked else 0, len(wanted)),
    )


def count_by_emotion(scores: Sequence[CauseScore], name: str, num_dialogues: int) -> Floats:
    """Return the hits of each dialogue by emotion, shape (dialogues, emotions, 3).

    Args:
        scores: The scores of all states.
        name: Which hits: turns, tokens or spans.
        num_dialogues: Dialogues of the file.
    """
    emotions = list(Emotion)
    counts = np.zeros((num_dialogues, len(emotions), 3))
    for score in scores:
        counts[score.place.dialogue, emotions.index(score.emotion)] += getattr(score, name)
    return counts


def count_emotions(
    dialogues: Sequence[GoldDialogue], found: Mapping[Place, FoundEmotion]
) -> Floats:
    """Return how often each emotion is right, found and wanted, shape (dialogues, emotions, 3).

    Turns whose word is outside the seven, or that have none, are passed over.
    """
    emotions = list(Emotion)
    counts = np.zeros((len(dialogues), len(emotions), 3))
    for number, gold in enumerate(dialogues):
        for index, turn in enumerate(gold.turns):
            if turn.emotion is None:
                continue
            given = found.get(Place(number, index), FoundEmotion()).emotion
            wanted = emotions.index(turn.emotion)
            counts[number, wanted, 2] += 1
            if given is not None:
                counts[number, emotions.index(given), 1] += 1
                counts[number, wanted, 0] += given is turn.emotion
    return counts
