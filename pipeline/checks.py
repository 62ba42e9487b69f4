"""What an answer may not say or cite; each check has a code."""

import unicodedata
from collections.abc import Iterable, Set

from rapidfuzz import fuzz

from ieat.pipeline.answers import QuoteForm, is_refusal
from ieat.pipeline.config import CheckSettings
from ieat.pipeline.failures import UnusableAnswer
from ieat.pipeline.languages import count_words, is_in_language
from ieat.pipeline.quotes import evidence_at, locate
from ieat.pipeline.text_checks import (
    MAX_CHARACTERS,
    find_in_response,
    find_named_source,
    find_unspeakable,
)
from ieat.pipeline.vocal_claims import find_unheld_claim
from ieat.schemas.attribution import UNQUOTED_KINDS, CauseKind, Evidence
from ieat.schemas.dialogue import Language
from ieat.schemas.history import History

MAX_SENTENCE = {Language.EN: 60, Language.ZH: 120}
"""Most words (English) or characters (Chinese) of an event or an appraisal."""

MAX_LIKENESS = 80.0
"""Percent of likeness (normalized Indel) from which a sentence is a copy of an example's: other
words for two things of ten, or a new end, still are."""

DEFAULTS = CheckSettings()
"""Limits where a caller has none of its own."""


def check_evidence(
    quotes: Iterable[QuoteForm], history: History, kind: CauseKind | None
) -> tuple[Evidence, ...]:
    """Return the quotes as evidence with offsets and sound.

    Raises:
        UnusableAnswer: evidence_missing, future_evidence, evidence_turn_unknown or
            span_not_verbatim.
    """
    evidence = []
    for quote in quotes:
        if quote.turn > history.last.turn_index:
            raise UnusableAnswer(
                "future_evidence", f"cites turn {quote.turn}, after turn {history.last.turn_index}"
            )
        turn = history.turn(quote.turn)
        if turn is None:
            raise UnusableAnswer("evidence_turn_unknown", f"cites turn {quote.turn}, not shown")
        offsets = locate(quote.quote, turn.clean)
        if offsets is None:
            raise UnusableAnswer(
                "span_not_verbatim", f"a quote does not stand in turn {quote.turn}"
            )
        evidence.append(evidence_at(turn, *offsets))
    if not evidence and kind not in UNQUOTED_KINDS:
        raise UnusableAnswer("evidence_missing", "there is no evidence")
    return tuple(dict.fromkeys(evidence))


def check_cause_text(text: str, history: History) -> None:
    """Check an event or an appraisal.

    Raises:
        UnusableAnswer: refusal, label_named, surrogate_leak, vocal_claim, wrong_language,
            too_long, markup or empty_answer.
    """
    limit = MAX_SENTENCE[history.language]
    if not text.strip():
        raise UnusableAnswer("empty_answer", "a sentence is empty")
    if len(text) > MAX_CHARACTERS * limit:
        # Megabytes would hold up everything else while they are searched.
        raise UnusableAnswer("too_long", f"has {len(text)} characters")
    if is_refusal(text):
        raise UnusableAnswer("refusal", "the answer declines")
    for problem in (*find_unspeakable(text), *find_named_source(text, _words(history))):
        raise UnusableAnswer(*problem)
    if not is_in_language(text, history.language):
        raise UnusableAnswer("wrong_language", f"is not in {history.language.value}")
    _check_length(text, history.language, limit)
    claim = find_unheld_claim(text, history)
    if claim is not None:
        raise UnusableAnswer("vocal_claim", f"claims {claim!r}, which nothing shows")


def check_not_copied(text: str, examples: Set[str]) -> None:
    """Check that a sentence is not one of the examples in the prompt.

    Args:
        text: An event or an appraisal.
        examples: Sentences of the prompt's example answers.

    Raises:
        UnusableAnswer: example_copied.
    """
    said = _plain(text)
    for example in examples:
        shown = _plain(example)
        if shown and (fuzz.ratio(said, shown) >= MAX_LIKENESS or shown in said):
            raise UnusableAnswer("example_copied", f"repeats an example of the prompt: {example!r}")


def _plain(text: str) -> str:
    """Return letters, digits and single spaces only, lower case."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def check_response_text(
    text: str, history: History, limit: int | None = None, checks: CheckSettings = DEFAULTS
) -> None:
    """Check a written response by the checks that its row must pass too.

    Args:
        text: The response.
        history: What it answers.
        limit: Most words (Chinese: characters) of an answer to a question about the dialogue;
            null for one to somebody in it, which is as long as it may take to say.
        checks: Limits.

    Raises:
        UnusableAnswer: refusal, self_reference, label_named, surrogate_leak, wrong_language,
            too_long, markup or empty_answer.
    """
    is_report = limit is not None
    for problem in find_in_response(
        text, history.language, checks, _words(history), is_report=is_report
    ):
        raise UnusableAnswer(*problem)
    if limit is not None:
        _check_length(text, history.language, limit)


def _check_length(text: str, language: Language, limit: int) -> None:
    length = count_words(text, language)
    if length > limit:
        raise UnusableAnswer("too_long", f"has {length} words or characters, more than {limit}")


def _words(history: History) -> tuple[str, ...]:
    return tuple(turn.clean for turn in history.turns)
