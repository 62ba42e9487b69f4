"""Small builds over written talks against the scripted endpoint: for tests around builds."""

from pathlib import Path

from ieat.pipeline.config import BuildConfig, load_config
from tests.talk_script import manifest_line

PRICES = {"input": 1.0, "output": 4.0}
"""US dollars per million tokens."""


def talks(count: int) -> list[str]:
    """Return dialogues of four turns; each asks two joint questions and two responses."""
    return [
        manifest_line(
            f"d{n}", ("ann", f"My bag {n} is gone"), ("bob", "Oh"), ("ann", f"They stole {n}"),
            ("bob", "I see"),
        )
        for n in range(count)
    ]  # fmt: skip


def build_config(
    folder: Path, lines: list[str], base_url: str | None, **changes: object
) -> BuildConfig:
    """Return the configuration of a build over dialogues of words.

    Args:
        folder: Holds the manifest, and output and store unless changed.
        lines: The lines of the manifest.
        base_url: Where the language model is asked.
        changes: Keys in place of those given here.
    """
    manifest = folder / "talks.jsonl"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    values: dict[str, object] = {
        "inputs": [{"path": str(manifest)}],
        "output": str(folder / "out"),
        "recognizer": "gold",
        "labeler": "llm",
        "attributor": "llm",
        "response": "written",
        "language_model": "openai:fake-1",
        "language_model_settings": {"prices": PRICES, "max_wait": 0.05},
        "user_speaker": "first",
        "shards": 2,
    }
    return load_config(None, values | changes, base_url=base_url)


def shards(out: Path) -> dict[str, bytes]:
    """Return the tables and the manifest of a build by their paths."""
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in [*out.glob("*/*.parquet"), out / "manifest.json"]
    }
