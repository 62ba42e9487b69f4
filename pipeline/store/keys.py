"""Keys of stored answers: SHA-256 over what changes the answer, and over nothing else."""

import hashlib
import json
from typing import Any

from ieat.pipeline.audio.decode import DECODE_VERSION
from ieat.schemas.audio import Sound
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Question


def question_key(engine_id: str, question: Question) -> str:
    """Return the key of a chat question to an engine, hexadecimal.

    The fields are written out one by one: a field added to a record must not change the keys of
    answers that are paid already, unless somebody decides so here.
    """
    sampling = question.sampling
    span = question.span
    # What only some questions have is left out of the others: their keys are older than it.
    further: dict[str, Any] = {}
    if sampling.extra_body:
        further["extra_body"] = sampling.extra_body
    if span is not None:
        further["span"] = {
            "source": span.source_sha256,
            "channel": span.channel,
            "start_sample": span.start_sample,
            "end_sample": span.end_sample,
            "decode_version": DECODE_VERSION,
        }
    return _sha256(
        {
            **further,
            "kind": "question",
            "engine": engine_id,
            "messages": [[message.role, message.content] for message in question.messages],
            "schema": [question.answer_schema.schema_id, question.answer_schema.text],
            "sampling": {
                "temperature": float(sampling.temperature),
                "top_p": None if sampling.top_p is None else float(sampling.top_p),
                "max_tokens": sampling.max_tokens,
                "seed": sampling.seed,
            },
            "sample_index": question.sample_index,
        }
    )


def transcription_key(engine_id: str, sound: Sound, language: Language) -> str:
    """Return the key of the transcription of a span, hexadecimal.

    The samples themselves are no part of it: decoders differ in the last bit by library.
    """
    return _sha256(
        {
            "kind": "transcription",
            "engine": engine_id,
            "language": language.value,
            "source": sound.source_sha256,
            "channel": sound.channel,
            "start_sample": sound.start_sample,
            "end_sample": sound.end_sample,
            "decode_version": DECODE_VERSION,
        }
    )


def _sha256(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # Half of a surrogate pair is no UTF-8, but may stand in a corpus' broken JSON.
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
