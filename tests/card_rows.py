"""Rows and manifests as a card reads them, made by hand."""

from typing import Any

from ieat.schemas.build import (
    Books,
    Manifest,
    ShardFile,
)


def manifest(*files: tuple[str, str, int], **changes: Any) -> Manifest:
    shards = tuple(
        ShardFile(
            table=table, split=split, file=f"{table}/{split}", num_rows=rows, num_bytes=1, sha256=""
        )
        for table, split, rows in files
    )
    return Manifest.model_validate(
        {"books": Books(), "shards": shards, "codes": {}, "not_configured": (), **changes}
    )


def said(
    speaker: str = "ann",
    clean: str = "my bag is gone",
    source: str | None = None,
    seconds: float | None = None,
    flags: tuple[str, ...] = (),
    *,
    conflict: bool = False,
    **labels: str | None,
) -> dict[str, Any]:
    """A turn of a row of `dialogues`."""
    sources = {
        name: {"emotion": labels[name], "raw": "curious"} if name in labels else None
        for name in ("gold", "text", "voice")
    }
    return {
        "speaker": speaker,
        "clean": clean,
        "source_text": source,
        "audio": None if seconds is None else {"duration": seconds},
        "flags": flags,
        "conflict": conflict,
        **sources,
    }


def talk(*turns: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A row of `dialogues`."""
    return {
        "corpus": "queen",
        "language": "en",
        "license": "freeware",
        "tasks": (),
        "turns": turns,
        "shifts": (),
        "causes": (),
        "provenance": {
            "recognizer_id": "ear",
            "prompt_ids": (),
            "prompt_sha256s": (),
            "response_keys": (),
        },
        **changes,
    }


def felt(emotion: str | None, intensity: str | None, language: str = "en") -> dict[str, Any]:
    return {"language": language, "attributes": {"emotion": emotion, "intensity": intensity}}


def caused(kind: str, turn: int, *quotes: tuple[int, str], appraisal: str | None = "It hurts."):
    return {
        "kind": kind,
        "turn_index": turn,
        "speaker": "ann",
        "appraisal": appraisal,
        "agreement": None,
        "repredicted": None,
        "agrees": None,
        "evidence": [
            {"turn_index": quoted, "speaker": speaker, "is_word_timed": quoted == turn}
            for quoted, speaker in quotes
        ],
    }
