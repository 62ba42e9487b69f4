"""The command line: the commands of `ieat`, and their exit codes."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ieat.pipeline import (
    bench_commands,
    guard_commands,
    judge_commands,
    render_commands,
    store_commands,
)
from ieat.pipeline.config import BuildConfig, load_config
from ieat.pipeline.failures import ConfigError, EngineUnavailable, RecordError
from ieat.pipeline.init import write_config

DONE, MISTAKE, STOPPED, UNAVAILABLE, FAILED = 0, 2, 3, 4, 5
"""Exit codes: done, a person's mistake, stopped by a limit or a person, engine unavailable,
too many failed. `ieat verify` also ends with 5 when something does not hold."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Build emotion-attribution training data from speech dialogues.",
    epilog="Exit codes: 0 done, 2 a mistake in input or configuration, 3 stopped by a limit or "
    "a person, 4 an engine is unavailable, 5 too many dialogues failed.",
)

app.add_typer(store_commands.app, name="store")
app.add_typer(bench_commands.app, name="bench")
app.add_typer(guard_commands.app, name="guard")

Config = Annotated[
    Path | None, typer.Option("--config", help="YAML file; `ieat init` writes a commented one.")
]
Input = Annotated[
    list[str] | None, typer.Option("--input", help="Corpus to read; may be given several times.")
]
Layout = Annotated[
    str | None, typer.Option(help="Layout of the inputs: manifest, folder, call or humdial.")
]
Language = Annotated[str | None, typer.Option(help="Language where the corpus does not say it.")]
Output = Annotated[str | None, typer.Option(help="Folder or URL to write to.")]
Recognizer = Annotated[str | None, typer.Option(help="moonshine, gold or openai:MODEL.")]
Labeler = Annotated[str | None, typer.Option(help="llm, linear or gold.")]
AttributorOption = Annotated[str | None, typer.Option("--attributor", help="llm or extractive.")]
ResponseOption = Annotated[str | None, typer.Option("--response", help="corpus or written.")]
LanguageModelOption = Annotated[
    str | None, typer.Option("--language-model", help="openai:MODEL at the endpoint.")
]
VoiceLabeler = Annotated[
    str | None, typer.Option(help="openai-audio:MODEL, a model that takes sound in chats.")
]
VerifierOption = Annotated[
    str | None,
    typer.Option("--verifier", help="openai:MODEL, a second model that reads causes back."),
]
Teacher = Annotated[
    str | None,
    typer.Option(help="openai:MODEL, the student's own model, for self-distillation."),
]
BaseUrl = Annotated[str | None, typer.Option(help="Base URL of the OpenAI-compatible endpoint.")]
Store = Annotated[str | None, typer.Option(help="Folder of the response store.")]
UserSpeaker = Annotated[
    str | None, typer.Option(help="Whose states count: first, all, channel:N or a name.")
]
Limit = Annotated[int | None, typer.Option(help="Most dialogues to read.")]
MaxUsd = Annotated[float | None, typer.Option(help="Most US dollars that this run may spend.")]
MaxTokens = Annotated[int | None, typer.Option(help="Most tokens that this run may use.")]
Retry = Annotated[
    list[str] | None,
    typer.Option("--retry", help="Code of failures to ask again; may be given several times."),
]
Replay = Annotated[bool, typer.Option("--replay", help="Use stored answers only; ask nobody.")]


def _configure(context: typer.Context) -> BuildConfig:
    """Put the flags of a command over its file; `--layout` and `--language` speak of `--input`.

    Raises:
        ConfigError: Unknown keys, or values that do not fit.
    """
    flags = dict(context.params)
    file = flags.pop("config")
    base_url = flags.pop("base_url")
    paths = flags.pop("inputs")
    of_inputs = {name: flags.pop(name) for name in ("layout", "language")}
    given = {name: value for name, value in of_inputs.items() if value is not None}
    if paths:
        flags["inputs"] = [{"path": path, **given} for path in paths]
    elif given:
        raise ConfigError("--layout and --language go with --input; in a file they stand in inputs")
    # A flag that was not given must not undo what the file says.
    flags["replay"] = flags.get("replay") or None
    flags["retry"] = flags.get("retry") or None
    return load_config(Path(file) if file else None, flags, base_url=base_url)


@app.command()
def build(
    context: typer.Context,
    config: Config = None,
    inputs: Input = None,
    layout: Layout = None,
    language: Language = None,
    output: Output = None,
    recognizer: Recognizer = None,
    labeler: Labeler = None,
    attributor: AttributorOption = None,
    response: ResponseOption = None,
    language_model: LanguageModelOption = None,
    voice_labeler: VoiceLabeler = None,
    verifier: VerifierOption = None,
    teacher: Teacher = None,
    base_url: BaseUrl = None,
    store: Store = None,
    user_speaker: UserSpeaker = None,
    limit: Limit = None,
    max_usd: MaxUsd = None,
    max_tokens: MaxTokens = None,
    retry: Retry = None,
    replay: Replay = False,
) -> None:
    """Build a data set. What follows ` -- ` is passed to Beam."""
    from ieat.pipeline.main import build as run_build

    settings = _configure(context)
    report = run_build(settings, beam_flags=context.obj, console=Console(stderr=True))
    sys.stdout.write(report.describe() + "\n")
    raise typer.Exit(report.exit_code)


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="File to write.")] = Path("ieat.yaml"),
) -> None:
    """Write a commented configuration with all defaults."""
    write_config(file)
    sys.stdout.write(f"wrote {file}; set inputs and output, then: ieat plan --config {file}\n")


@app.command()
def plan(
    context: typer.Context,
    config: Config = None,
    inputs: Input = None,
    layout: Layout = None,
    language: Language = None,
    output: Output = None,
    recognizer: Recognizer = None,
    labeler: Labeler = None,
    attributor: AttributorOption = None,
    response: ResponseOption = None,
    language_model: LanguageModelOption = None,
    voice_labeler: VoiceLabeler = None,
    verifier: VerifierOption = None,
    teacher: Teacher = None,
    base_url: BaseUrl = None,
    store: Store = None,
    user_speaker: UserSpeaker = None,
    limit: Limit = None,
) -> None:
    """Say what a build would read, ask and write, without asking anybody."""
    from ieat.pipeline.plan import plan_build

    settings = _configure(context)
    sys.stdout.write(plan_build(settings).describe() + "\n")


@app.command()
def check(
    context: typer.Context,
    config: Config = None,
    inputs: Input = None,
    layout: Layout = None,
    language: Language = None,
    output: Output = None,
    recognizer: Recognizer = None,
    labeler: Labeler = None,
    attributor: AttributorOption = None,
    response: ResponseOption = None,
    language_model: LanguageModelOption = None,
    voice_labeler: VoiceLabeler = None,
    verifier: VerifierOption = None,
    teacher: Teacher = None,
    base_url: BaseUrl = None,
    store: Store = None,
    user_speaker: UserSpeaker = None,
) -> None:
    """Read one dialogue, ask each engine once, write and remove one file."""
    from ieat.pipeline.check import check_build

    settings = _configure(context)
    for line in check_build(settings):
        sys.stdout.write(line + "\n")


@app.command()
def show(
    out: Annotated[str, typer.Argument(help="Folder of the build.")],
    dialogue: Annotated[str | None, typer.Argument(help="Id of a dialogue.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Show what failed, and why.")] = False,
) -> None:
    """Show a build, the trace of one dialogue, or what failed."""
    from ieat.pipeline import trace

    console = Console()
    if failed:
        trace.show_failed(out, console)
    elif dialogue is not None:
        trace.show_dialogue(out, dialogue, console)
    else:
        trace.show_build(out, console)


@app.command()
def verify(out: Annotated[str, typer.Argument(help="Folder of the build.")]) -> None:
    """Check hashes, schema, counts, splits, and that every audio decodes."""
    from ieat.pipeline.output.verify import verify as verify_build

    report = verify_build(out)
    sys.stdout.write(report.describe() + "\n")
    if not report.is_sound:
        raise typer.Exit(FAILED)


app.command()(render_commands.render)
app.command()(judge_commands.judge)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; ends the process with one of the documented exit codes."""
    given = sys.argv[1:] if arguments is None else arguments
    cut = given.index("--") if "--" in given else len(given)
    sys.exit(run(given[:cut], given[cut + 1 :]))


def run(arguments: list[str], beam_flags: list[str]) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: The command and its flags.
        beam_flags: What stood behind ` -- `.
    """
    # Beam tells at import which of its cloud packages are missing; no local build needs them.
    logging.disable(logging.WARNING)
    try:
        app(arguments, prog_name="ieat", obj=beam_flags)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else DONE
        # Typer ends so when a person interrupts it.
        return STOPPED if code in (1, 130) else code
    except (ConfigError, RecordError) as error:
        sys.stderr.write(f"ieat: {error}\n")
        return MISTAKE
    except EngineUnavailable as error:
        sys.stderr.write(f"ieat: {error}\n")
        return UNAVAILABLE
    finally:
        logging.disable(logging.NOTSET)
    return DONE


if __name__ == "__main__":
    main()
