"""Baseline attribution without a language model: three rules say which turns show the cause."""

import re

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from ieat.pipeline.quotes import evidence_at
from ieat.schemas.attribution import Attribution, Cause, CauseKind
from ieat.schemas.dialogue import Language
from ieat.schemas.emotion import EmotionalState
from ieat.schemas.history import HeardTurn, History

MAX_QUOTE = 160
"""Longest quote, code points; recognizers may write a long turn without a single stop."""

_CLAUSE = re.compile(r"[^.!?;,:。！？；，：…]+[.!?。！？…]*")
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_APOSTROPHE = re.compile("['’]")
_QUESTION = re.compile(r"[?？]\W*$")

_REACTION_WORDS = (
    "absolutely ah alright awesome bye certainly congratulations cool course dear definitely "
    "exactly excellent fantastic fine glad god good goodbye gosh great ha happy heaven heavens "
    "hello hey hi hmm incredible kidding lovely madam marvelous mean nice oh ok okay ooh ouch "
    "perfect pity pleasure really right shame sir sorry sounds sure surely terrible terrific "
    "thank thanks true uh um unbelievable understand welcome wonderful wow yeah yep yes"
)
REACTIONS = frozenset(_REACTION_WORDS.split())
"""English words with which people answer a turn without saying anything of their own."""
FULL_ANSWER = 5
"""Content words from which an answer to a question holds the cause itself."""

_CHINESE_FUNCTION = frozenset(
    "的了是在我你他她它们这那就也都不吗吧呢啊哦嗯有和与很说要会能到去来着过把被"
)


class ExtractiveAttributor:
    """Cites the turn of the state, the turn before it, or both; the fullest clause of each.

    In English, after a turn of somebody else:

    * a turn that only reacts ("Oh, really? Great!") is caused by the turn before it;
    * a turn that answers a question in at least `FULL_ANSWER` content words is its own cause;
    * everything else, and everything in Chinese, is caused by both.

    Turns of gold causes are found with F1 .720 on RECCON-DailyDialog (validation), where always
    citing both gives .681 (docs/benchmarks.md). The event is the quote itself, nothing is
    inferred, and rows made with it are not trainable.
    """

    attributor_id = "extractive@2"

    async def attribute(self, history: History, state: EmotionalState) -> Attribution:
        """Return the clauses as evidence; the one of the state's own turn comes first."""
        if state.chosen is None:
            raise ValueError("a state without an emotion has no cause")
        cited = cited_turns(history)
        evidence = [evidence_at(turn, *fullest_clause(turn, history.language)) for turn in cited]
        return Attribution(
            turn_index=state.turn_index,
            speaker=state.speaker,
            emotion=state.chosen,
            intensity=state.intensity,
            causes=(
                Cause(
                    event=evidence[0].quote,
                    appraisal=None,
                    kind=_kind(cited, history),
                    evidence=tuple(evidence),
                ),
            ),
            attributor_id=self.attributor_id,
        )


def cited_turns(history: History) -> tuple[HeardTurn, ...]:
    """Return the turns that show the cause of the last turn's state, the last turn first."""
    own = history.last
    if len(history.turns) == 1:
        return (own,)
    before = history.turns[-2]
    # The rules were measured on turns of two speakers in English; elsewhere they are not used.
    if history.language is not Language.EN or before.speaker == own.speaker:
        return own, before
    content = content_words(own.clean)
    if not content - REACTIONS:
        return (before,)
    if _QUESTION.search(before.clean) and len(content) >= FULL_ANSWER:
        return (own,)
    return own, before


def content_words(text: str) -> frozenset[str]:
    """Return the different English words that mean something alone, lower case.

    Of words with an apostrophe the part before it counts: `it's`, `don't` and `I'll` are none.
    """
    heads = (_APOSTROPHE.split(word)[0] for word in _WORD.findall(text.lower()))
    return frozenset(
        head
        for head in heads
        if len(head) > 1 and not {head, head.removesuffix("n")} & ENGLISH_STOP_WORDS
    )


def fullest_clause(turn: HeardTurn, language: Language) -> tuple[int, int]:
    """Return the offsets of the clause with most content words, the earliest of equals."""
    clauses = [
        (found.start() + len(found.group()) - len(found.group().lstrip()), found.end())
        for found in _CLAUSE.finditer(turn.clean)
        if found.group().strip()
    ]
    if not clauses:
        return 0, len(_shorten(turn.clean))
    start, end = max(clauses, key=lambda c: _num_content(turn.clean[c[0] : c[1]], language))
    return start, start + len(_shorten(turn.clean[start:end].rstrip()))


def _shorten(clause: str) -> str:
    """Cut a clause that is too long, between words where it has any."""
    if len(clause) <= MAX_QUOTE:
        return clause
    return clause[:MAX_QUOTE].rpartition(" ")[0] or clause[:MAX_QUOTE]


def _num_content(text: str, language: Language) -> int:
    if language is Language.ZH:
        return sum(character.isalnum() and character not in _CHINESE_FUNCTION for character in text)
    return sum(word.lower() not in ENGLISH_STOP_WORDS for word in _WORD.findall(text))


def _kind(cited: tuple[HeardTurn, ...], history: History) -> CauseKind:
    """Return the kind that follows from who said what is cited."""
    speaker = history.last.speaker
    if cited == (history.last,):
        return CauseKind.EXPLICIT
    if cited[-1].speaker == speaker:
        return CauseKind.SELF_CONTAGION
    return CauseKind.INTER_PERSONAL if len(cited) == 1 else CauseKind.HYBRID
