"""Questions that are heard as rows of `aqa`, and whether they are fit to train on."""

import unicodedata
from collections.abc import Sequence

from ieat.pipeline.output.cells import LEADS_OUT, codes, trainable_cell
from ieat.pipeline.split_keys import HELD_OUT
from ieat.prompts.instructions import AQA, choose_instruction
from ieat.prompts.library import TemplateFile
from ieat.schemas.aqa_rows import AcceptedAnswer, AqaRow
from ieat.schemas.audio import Sound
from ieat.schemas.cells import AudioCell, ProvenanceCell, SpanCell
from ieat.schemas.spoken_question import SpokenQuestion


def is_held_out(split: str) -> bool:
    """Tell by the first part of a split's name whether its questions measure models."""
    return split.lower().split("_")[0] in HELD_OUT


def aqa_row(
    question: SpokenQuestion,
    sound: Sound,
    template: TemplateFile,
    flags: Sequence[str] = (),
) -> AqaRow:
    """Return the row of a question.

    Args:
        question: The question.
        sound: What was measured of its sound.
        template: The template `instructions` in its language.
        flags: What else is odd about it, as codes.
    """
    row_id = f"{question.question_id}/aqa"
    reasons = []
    if is_held_out(question.split):
        reasons.append("held_out_split")
    if "no_speech" in sound.flags:
        reasons.append("no_voice")
    if not is_answered(question.target_text, question.answers):
        reasons.append("target_without_answer")
    return AqaRow(
        row_id=row_id,
        dialogue_id=question.question_id,
        language=question.language,
        split=question.split,
        license=question.license,
        source=question.source,
        instruction=choose_instruction(template, AQA, row_id),
        audio=AudioCell(bytes=None, path=f"{LEADS_OUT.sub('_', question.question_id)}.flac"),
        audio_span=SpanCell(
            turn_index=0,
            uri=question.uri,
            source_sha256=sound.source_sha256,
            channel=sound.channel,
            source_rate=sound.source_rate,
            start_sample=sound.start_sample,
            end_sample=sound.end_sample,
            duration=sound.duration,
        ),
        duration=sound.duration,
        query=question.query,
        answers=tuple(AcceptedAnswer(all_of=tuple(words)) for words in question.answers),
        thinking="",
        target_text=question.target_text,
        trainable=trainable_cell(reasons),
        provenance=ProvenanceCell(
            recognizer_id=None,
            labeler_id=None,
            attributor_id=None,
            writer_id=None,
            prompt_ids=(template.prompt_id,),
            prompt_sha256s=(template.sha256,),
            response_keys=(),
        ),
        flags=codes((*sound.flags, *flags)),
    )


def is_answered(text: str, answers: Sequence[Sequence[str]]) -> bool:
    """Tell whether a text says all words of one of the answers, as TELEVAL scores it.

    Both are NFD-normalized, lower-cased, without punctuation, Chinese character by character; an
    answer must stand in the text as neighboring tokens.
    """
    said = _tokens(text)
    return any(all(_holds(said, _tokens(words)) for words in needed) for needed in answers)


def _tokens(text: str) -> list[str]:
    plain = "".join(
        f" {character} "
        if unicodedata.name(character, "").startswith("CJK UNIFIED")
        else " "
        if unicodedata.category(character).startswith("P")
        else character
        for character in unicodedata.normalize("NFD", text).lower()
    )
    return plain.split()


def _holds(said: list[str], wanted: list[str]) -> bool:
    length = len(wanted)
    return bool(wanted) and any(
        said[at : at + length] == wanted for at in range(len(said) - length + 1)
    )
