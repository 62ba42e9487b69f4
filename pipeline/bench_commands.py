"""The commands that measure the stages against gold labels: ieat bench causes | emotions."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ieat.pipeline.failures import ConfigError, EngineUnavailable, RunStopped
from ieat.schemas.dialogue import Language

if TYPE_CHECKING:
    from ieat.pipeline.bench.measuring import Wanted
    from ieat.pipeline.bench.report import Report

STOPPED = 3
"""Exit code of a run that a limit ended; the same command goes on from the store."""

app = typer.Typer(
    no_args_is_help=True,
    help="Measure labels and causes against gold ones, beside rules that read no word.",
)

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="JSON lines with turns and causes, RECCON's JSON, or ECF's JSON."
    ),
]
Config = Annotated[Path | None, typer.Option("--config", help="YAML file of a build.")]
Labeler = Annotated[str | None, typer.Option(help="llm or linear.")]
AttributorOption = Annotated[str | None, typer.Option("--attributor", help="llm or extractive.")]
LanguageModel = Annotated[
    str | None, typer.Option("--language-model", help="openai:MODEL at the endpoint.")
]
BaseUrl = Annotated[str | None, typer.Option(help="Base URL of the OpenAI-compatible endpoint.")]
Prompts = Annotated[
    list[str] | None,
    typer.Option(
        "--prompt",
        help="Version of a prompt, such as attribution@2, or a folder, such as "
        "attribution=FOLDER; give several to compare them.",
    ),
]
Store = Annotated[
    str | None, typer.Option(help="Folder of the response store; ieat-bench.ieat unless given.")
]
MaxUsd = Annotated[float | None, typer.Option(help="Most US dollars that this run may spend.")]
MaxTokens = Annotated[int | None, typer.Option(help="Most tokens that this run may use.")]
Replay = Annotated[bool, typer.Option("--replay", help="Use stored answers only; ask nobody.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Most dialogues to take, the first ones.")]
InLanguage = Annotated[
    Language, typer.Option("--language", help="Language of dialogues that do not say it.")
]
NumResamples = Annotated[
    int | None, typer.Option("--resamples", min=100, help="Bootstrap resamples; 2000 unless given.")
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="File to write all figures to.")]


@app.command()
def causes(
    context: typer.Context,
    file: File,
    config: Config = None,
    attributor: AttributorOption = None,
    labeled: Annotated[
        bool,
        typer.Option("--labeled", help="Have the emotions labeled too, not given from the file."),
    ] = False,
    labeler: Labeler = None,
    language_model: LanguageModel = None,
    base_url: BaseUrl = None,
    prompt: Prompts = None,
    store: Store = None,
    max_usd: MaxUsd = None,
    max_tokens: MaxTokens = None,
    replay: Replay = False,
    limit: Limit = None,
    language: InLanguage = Language.EN,
    resamples: NumResamples = None,
    json_file: JsonFile = None,
) -> None:
    """Find the causes of gold emotions, and hold them against gold causes."""
    if labeler and not labeled:
        raise ConfigError("--labeler goes with --labeled: without, the gold emotions are given")
    from ieat.pipeline.bench.measuring import measure_causes

    with _stopping():
        report = measure_causes(_what(context), is_labeled=labeled)
    _tell(report, json_file)


@app.command()
def emotions(
    context: typer.Context,
    file: File,
    config: Config = None,
    labeler: Labeler = None,
    attributor: AttributorOption = None,
    language_model: LanguageModel = None,
    base_url: BaseUrl = None,
    prompt: Prompts = None,
    store: Store = None,
    max_usd: MaxUsd = None,
    max_tokens: MaxTokens = None,
    replay: Replay = False,
    limit: Limit = None,
    language: InLanguage = Language.EN,
    resamples: NumResamples = None,
    json_file: JsonFile = None,
) -> None:
    """Label emotions from the words, and hold them against gold emotions.

    With --labeler llm and --attributor llm, emotion and cause are asked in one question, as a
    build does.
    """
    from ieat.pipeline.bench.measuring import measure_emotions

    with _stopping():
        report = measure_emotions(_what(context))
    _tell(report, json_file)


OF_BUILDS = ("attributor", "labeler", "language_model", "store", "max_usd", "max_tokens")
"""Flags that are keys of the configuration."""


def _what(context: typer.Context) -> "Wanted":
    """Return what the flags of a command ask for.

    Raises:
        ConfigError: The report could not be written where it is wanted.
    """
    from ieat.pipeline.bench.measuring import Wanted

    given = context.params
    report = given["json_file"]
    if report is not None and not Path(report).parent.is_dir():
        # Told before anything is paid for.
        raise ConfigError(f"cannot write {report}: there is no folder {Path(report).parent}")
    config = given["config"]
    return Wanted(
        file=Path(given["file"]),
        config_file=Path(config) if config else None,
        flags={name: given[name] for name in OF_BUILDS} | {"replay": given["replay"] or None},
        base_url=given["base_url"],
        prompts=tuple(given["prompt"] or ()),
        limit=given["limit"],
        language=Language(given["language"]),
        num_resamples=given["resamples"],
        console=Console(stderr=True),
    )


@contextmanager
def _stopping() -> Iterator[None]:
    """End with the exit code of a build that a limit stops; half a benchmark is none.

    Raises:
        EngineUnavailable: As it came.
        typer.Exit: For all other reasons.
    """
    try:
        yield
    except EngineUnavailable:
        raise
    except RunStopped as stop:
        sys.stderr.write(f"ieat: {stop}; answers are kept, the same command goes on\n")
        raise typer.Exit(STOPPED) from stop


def _tell(report: "Report", json_file: Path | None) -> None:
    """Print a report, and write it where it is wanted.

    Raises:
        ConfigError: The file cannot be written.
    """
    from ieat.pipeline.bench.text import describe

    sys.stdout.write(describe(report) + "\n")
    if json_file is None:
        return
    text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
    try:
        json_file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {json_file}: {error.strerror}") from error
    sys.stdout.write(f"\nwritten {json_file}\n")
