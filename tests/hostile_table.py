"""Print a Markdown table of what becomes of every audio file in a folder.

Usage: python -m tests.hostile_table FOLDER > table.md
The last column needs the extra `embedded`; without it the column stays empty.
"""

import asyncio
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path

from ieat.pipeline.audio.decode import decode_span
from ieat.pipeline.audio.examine import examine
from ieat.pipeline.audio.level import even_level
from ieat.pipeline.engines.moonshine import MoonshineTranscriber
from ieat.pipeline.failures import BadAudio
from ieat.pipeline.ports import Samples
from ieat.schemas.audio import AudioSpan
from ieat.schemas.dialogue import Language
from tests.counting_engines import FreeCall


def main(folder: Path) -> None:
    """Print the table; the files come in the order of MANIFEST.jsonl where there is one."""
    manifest = folder / "MANIFEST.jsonl"
    rows = []
    if manifest.exists():
        rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    asked = {row["path"]: row.get("expect", "") for row in rows}
    names = list(asked) or sorted(file.name for file in folder.iterdir() if file.is_file())
    transcribe = open_transcriber()
    sys.stdout.write("| file | asked for | what comes of it | words (moonshine) |" + "\n")
    sys.stdout.write("|---|---|---|---|" + "\n")
    for name in names:
        outcome, words = judge(AudioSpan(uri=str(folder / name)), transcribe)
        sys.stdout.write(f"| `{name}` | {asked.get(name, '')} | {outcome} | {words} |" + "\n")
        if outcome.startswith("`audio_too_long`"):
            span = AudioSpan(uri=str(folder / name), start=3600.0, end=3611.0)
            outcome, words = judge(span, transcribe)
            sys.stdout.write(f"| `{name}`, 3600-3611 s | | {outcome} | {words} |" + "\n")


def judge(span: AudioSpan, transcribe: Callable[[Samples], str]) -> tuple[str, str]:
    """Return duration with flags, or the code, and the first words; as in a build."""
    try:
        sound = examine(span)
    except BadAudio as error:
        return f"`{error.code}`", ""
    flags = ", ".join(f"`{flag}`" for flag in sound.flags)
    outcome = f"{sound.duration:.2f} s, speech {sound.speech:.2f} s" + (
        f", {flags}" if flags else ""
    )
    if "no_speech" in sound.flags:
        return outcome, "(not asked: no voice)"
    words = transcribe(even_level(decode_span(span))).split()[:6]
    return outcome, " ".join(words).replace("|", "\\|")


def open_transcriber() -> Callable[[Samples], str]:
    """Return a function from samples to words; it gives none where the engine is missing."""
    if importlib.util.find_spec("moonshine_voice") is None:
        return lambda samples: ""
    engine = MoonshineTranscriber()

    def transcribe(samples: Samples) -> str:
        return engine.parse(asyncio.run(engine.transcribe(samples, Language.EN, FreeCall()))).text

    return transcribe


if __name__ == "__main__":
    main(Path(sys.argv[1]))
