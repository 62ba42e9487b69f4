"""The one gate that every row passes before it is written.

A finding whose code is hard makes the row a dead letter; the others are flags of the row. Every
table passes the same gate: what is checked of a row follows from the parts that it has.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ieat.pipeline.config import CheckSettings
from ieat.pipeline.failures import RecordError
from ieat.pipeline.languages import is_foreign_speech
from ieat.pipeline.output.cells import GOLD, codes, recognizer_of, trainable_cell
from ieat.pipeline.output.word_errors import count_errors
from ieat.pipeline.text_checks import (
    Problem,
    find_in_response,
    find_in_thinking,
    find_shown_emotion,
    restated_share,
)
from ieat.pipeline.wordings import THINK_TAG
from ieat.schemas.audio import Sound
from ieat.schemas.cells import (
    CauseCell,
    MessageCell,
    ModesCell,
    ProvenanceCell,
    ResponseCell,
    SpanCell,
    ThinkingCell,
    TrainableCell,
    TurnCell,
)
from ieat.schemas.dialogue import Language
from ieat.schemas.records import ComposedDialogue
from ieat.schemas.rows import DialogueRow, Row, Stage1Row

OWN_ATTRIBUTOR = "extractive"
"""Start of the id of the attributor whose causes are quotes by design."""

FOREIGN = "wrong_language"
"""Found in words that people say too; it never keeps these out."""

WER_ABOVE = "wer_above"
"""Why recognized words are not trained on."""


@runtime_checkable
class Conversing(Protocol):
    """A row with a conversation to train on."""

    @property
    def messages(self) -> tuple[MessageCell, ...]:
        """The messages."""
        ...

    @property
    def language(self) -> Language:
        """Language that is spoken."""
        ...


@runtime_checkable
class Explained(Protocol):
    """A row whose thinking tells of causes."""

    @property
    def thinking(self) -> ThinkingCell:
        """The thinking, with the causes that it speaks of."""
        ...

    @property
    def language(self) -> Language:
        """Language that is spoken."""
        ...

    @property
    def provenance(self) -> ProvenanceCell:
        """Engines behind the row."""
        ...


class Finding(NamedTuple):
    """What is found in a row."""

    problem: Problem
    """What, with its code."""
    is_spared: bool = False
    """Whether it never keeps the row out: people answer as they answer."""


class CheckedRow(NamedTuple):
    """A row after the gate."""

    row: Row
    """The row with what was found as flags and reasons."""
    error: RecordError | None
    """Why it is not written; null when it is."""


def check_row(row: Row, composed: ComposedDialogue, checks: CheckSettings) -> CheckedRow:
    """Check a row of any table.

    A row of `dialogues` is always written: the rows of other tables rest on it.

    Args:
        row: The row.
        composed: The dialogue that it is made from.
        checks: Limits, and which codes are hard.
    """
    findings = list(_findings(row, composed, checks))
    hard = [
        found.problem
        for found in findings
        if found.problem.code in checks.hard and not found.is_spared
    ]
    if hard and not isinstance(row, DialogueRow):
        told = "; ".join(dict.fromkeys(problem.message for problem in hard))
        return CheckedRow(row, RecordError(hard[0].code, f"{row.row_id}: {told}"))
    flagged = _with_flags(row, composed, (found.problem.code for found in findings), checks)
    return CheckedRow(_with_reasons(flagged, composed, checks), None)


def _findings(row: Row, composed: ComposedDialogue, checks: CheckSettings) -> Iterator[Finding]:
    if isinstance(row, Stage1Row):
        yield from _of_turn(composed, row.turn_index, checks)
    if isinstance(row, DialogueRow | Explained):
        causes = row.causes if isinstance(row, DialogueRow) else row.thinking.causes
        if not (row.provenance.attributor_id or "").startswith(OWN_ATTRIBUTOR):
            yield from map(Finding, find_restated(causes, row.language, checks))
    if isinstance(row, Conversing):
        yield from find_in_conversation(row, composed, checks)


def _of_turn(
    composed: ComposedDialogue, turn_index: int, checks: CheckSettings
) -> Iterator[Finding]:
    for problem in find_in_turn(composed, turn_index, checks):
        yield Finding(problem, is_spared=problem.code == FOREIGN)


def find_in_turn(
    composed: ComposedDialogue, turn_index: int, checks: CheckSettings
) -> Iterator[Problem]:
    """Yield what is odd about the sound and the language of a turn."""
    sound = composed.sounds[turn_index]
    if sound is not None:
        yield from find_in_sound(sound, checks)
    yield from find_foreign_words(composed, turn_index)


def find_foreign_words(composed: ComposedDialogue, turn_index: int) -> Iterator[Problem]:
    """Yield whether somebody speaks another language than that of the dialogue."""
    language = composed.dialogue.language
    if is_foreign_speech(composed.transcript.utterances[turn_index].clean, language):
        yield Problem(FOREIGN, f"turn {turn_index} is not in {language.value}")


def find_in_sound(sound: Sound, checks: CheckSettings) -> Iterator[Problem]:
    """Yield whether a sound is too short, too long, or too noisy to train on."""
    if sound.duration < checks.min_clip_seconds:
        yield Problem("too_short", f"lasts {sound.duration:.2f} s")
    if sound.duration > checks.max_clip_seconds:
        yield Problem("too_long_clip", f"lasts {sound.duration:.1f} s")
    if sound.snr is not None and sound.snr < checks.min_snr:
        yield Problem("noisy", f"is {sound.snr:.1f} dB above the noise")


def find_restated(
    causes: Iterable[CauseCell], language: Language, checks: CheckSettings
) -> Iterator[Problem]:
    """Yield whether a cause says no more than its quotes."""
    for cause in causes:
        between = " " if language is Language.EN else "。"
        text = between.join(part for part in (cause.event, cause.appraisal) if part)
        share = restated_share(text, [shown.quote for shown in cause.evidence], language)
        if share > checks.max_restated:
            yield Problem(
                "restates_evidence",
                f"{share:.0%} of the cause of turn {cause.turn_index} stands in its quotes",
            )


def find_in_conversation(
    row: Conversing, composed: ComposedDialogue, checks: CheckSettings
) -> Iterator[Finding]:
    """Yield what a model may not read, think or say.

    What is read is all but the trained part; an answer in the context is read too. The trained
    answer is spared where it is the corpus' own. The turn that is answered is looked at as in its
    own row: sound and language. In a row without a `response`, it answers a
    question about the whole dialogue.
    """
    target: int | None = getattr(row, "turn_index", None)
    heard = [
        said.clean
        for said in composed.transcript.utterances
        if said.clean and (target is None or said.turn_index <= target)
    ]
    labels = [turn.emotion for turn in composed.dialogue.turns if turn.emotion]
    causes = row.thinking.causes if isinstance(row, Explained) else ()
    quotes = [shown.quote for cause in causes for shown in cause.evidence]
    response: ResponseCell | None = getattr(row, "response", None)
    is_recorded = response is not None and response.source == "corpus"
    if target is not None:
        yield from _of_turn(composed, target, checks)
    for message in row.messages:
        if message.kind == "think":
            problems = find_in_thinking(message.content, row.language, heard, quotes)
            yield from map(Finding, problems)
        elif message.kind == "write" and message.loss:
            for problem in find_in_response(
                message.content,
                row.language,
                checks,
                heard,
                is_recorded=is_recorded,
                is_report=response is None,
            ):
                # A renderer takes a tag of thinking for its own, whoever wrote it.
                is_tag = problem.code == "markup" and THINK_TAG.search(message.content)
                yield Finding(problem, is_spared=is_recorded and not is_tag)
        else:
            yield from map(Finding, find_shown_emotion(message.content, labels))


def word_error_rate(composed: ComposedDialogue, turn_index: int) -> float | None:
    """Return the errors per word of a turn's recognized words; null without words to compare."""
    said = composed.dialogue.turns[turn_index].text
    if said is None or recognizer_of(composed, turn_index) == GOLD:
        return None
    heard = composed.transcript.utterances[turn_index].clean
    return count_errors(said, heard, composed.dialogue.language).rate


def has_wrong_words(composed: ComposedDialogue, turn_index: int, checks: CheckSettings) -> bool:
    """Tell whether a turn's recognized words are too far from the corpus' own."""
    rate = word_error_rate(composed, turn_index)
    return rate is not None and checks.max_word_errors is not None and rate > checks.max_word_errors


def _with_flags(
    row: Row, composed: ComposedDialogue, found: Iterable[str], checks: CheckSettings
) -> Row:
    known: tuple[str, ...] | None = getattr(row, "flags", None)
    if known is None:
        return row
    changes: dict[str, Any] = {"flags": codes((*known, *found))}
    if isinstance(row, DialogueRow):
        changes["turns"] = tuple(_flagged_turn(turn, composed, checks) for turn in row.turns)
    return row.model_copy(update=changes)


def _flagged_turn(turn: TurnCell, composed: ComposedDialogue, checks: CheckSettings) -> TurnCell:
    found = (problem.code for problem in find_in_turn(composed, turn.turn_index, checks))
    return turn.model_copy(update={"flags": codes((*turn.flags, *found))})


def _with_reasons(row: Row, composed: ComposedDialogue, checks: CheckSettings) -> Row:
    if isinstance(row, Stage1Row):
        row = _with_reasons_of_teacher(row, composed, checks)
        if not has_wrong_words(composed, row.turn_index, checks):
            return row
        unfit_words = trainable_cell((*row.words.trainable.reasons, WER_ABOVE))
        return row.model_copy(
            update={"words": row.words.model_copy(update={"trainable": unfit_words})}
        )
    trainable: ModesCell | TrainableCell | None = getattr(row, "trainable", None)
    if trainable is None or not any(
        has_wrong_words(composed, turn, checks) for turn in _rests_on(row)
    ):
        return row
    reasons = codes((*trainable.reasons, WER_ABOVE))
    unfit = (
        ModesCell(explicit=False, injected=False, implicit=False, reasons=reasons)
        if isinstance(trainable, ModesCell)
        else trainable_cell(reasons)
    )
    return row.model_copy(update={"trainable": unfit})


def _with_reasons_of_teacher(
    row: Stage1Row, composed: ComposedDialogue, checks: CheckSettings
) -> Stage1Row:
    """Return the row; a teacher that read wrong words gave an answer that is not fit."""
    taught = row.distillation
    if taught is None or not any(
        has_wrong_words(composed, turn, checks) for turn in (*taught.context_turns, row.turn_index)
    ):
        return row
    unfit = trainable_cell((*taught.trainable.reasons, WER_ABOVE))
    return row.model_copy(update={"distillation": taught.model_copy(update={"trainable": unfit})})


def _rests_on(row: Row) -> set[int]:
    """Return the turns that are heard, quoted, or answered with."""
    response: ResponseCell | None = getattr(row, "response", None)
    heard: tuple[SpanCell, ...] = getattr(row, "audio_spans", ())
    answered = response.audio_spans if response is not None else ()
    causes = row.thinking.causes if isinstance(row, Explained) else ()
    quoted = (shown.turn_index for cause in causes for shown in cause.evidence)
    return {span.turn_index for span in (*heard, *answered)} | set(quoted)
