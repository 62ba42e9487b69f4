"""The commands that look after a response store: ieat store stats | verify | show | ..."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ieat.pipeline.failures import ConfigError, RunStopped
from ieat.pipeline.ports import StoreUpkeep
from ieat.pipeline.store.export import export_answers, import_answers
from ieat.pipeline.store.opening import open_for_upkeep
from ieat.pipeline.store.seal import unseal
from ieat.pipeline.store.upkeep import StoreStats, find_broken, find_unused, measure_store
from ieat.pipeline.store.withdrawn import remember_withdrawn

BROKEN = 5
"""Exit code of `verify` where an answer is not as it was stored."""

app = typer.Typer(
    no_args_is_help=True,
    help="Look after a response store: a folder, or a URL such as s3://bucket/answers.",
)

Place = Annotated[str, typer.Argument(metavar="STORE", help="Folder or URL of the store.")]
Build = Annotated[
    list[str] | None, typer.Option("--build", help="Folder of a build; may be given several times.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be done.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@app.command()
def stats(store: Place, as_json: AsJson = False) -> None:
    """Count answers, tokens and money by engine and by what was asked."""
    with _opened(store) as opened:
        measured = measure_store(opened)
    sys.stdout.write(_stats_as_json(measured) if as_json else _stats_as_text(measured))


@app.command()
def verify(store: Place) -> None:
    """Read every answer and compare it with its hash; exit 5 where one differs."""
    with _opened(store) as opened:
        num_answers = sum(1 for _ in opened.answers())
        broken = list(find_broken(opened))
    for key, problem in broken:
        sys.stdout.write(f"{key}: {problem}\n")
    sys.stdout.write(f"{num_answers} answers, {len(broken)} broken\n")
    if broken:
        sys.stdout.write("remove the broken ones with: ieat store prune --broken --yes\n")
        raise typer.Exit(BROKEN)


@app.command()
def show(
    store: Place, key: Annotated[str, typer.Argument(help="A key, or how it begins.")]
) -> None:
    """Show answers: what came back, from whom, what it cost, which dialogues use it."""
    with _opened(store) as opened:
        found = opened.find(key)
        if not found:
            raise ConfigError(f"{store} holds no answer whose key begins with {key}")
        keys = {sealed.key for sealed in found}
        users: dict[str, list[str]] = {key: [] for key in keys}
        for dialogue_id, used in opened.uses():
            if used in keys:
                users[used].append(dialogue_id)
    for sealed in found:
        stored = unseal(sealed).model_dump(mode="json") | {"dialogues": users[sealed.key]}
        sys.stdout.write(json.dumps(stored, ensure_ascii=False, indent=2) + "\n")


@app.command(name="export")
def export_to(
    store: Place,
    file: Annotated[Path, typer.Argument(help="File to write, such as answers.jsonl.zst.")],
    builds: Build = None,
) -> None:
    """Write all answers, or those that builds rest on, to one portable file."""
    keys = _keys_of(builds) if builds else None
    with _opened(store) as opened:
        written = export_answers(opened, file, keys)
    sys.stdout.write(f"wrote {written.num_answers} answers to {file}\n")
    if written.num_broken:
        sys.stdout.write(f"left out {written.num_broken} broken ones; see: ieat store verify\n")
        raise typer.Exit(BROKEN)


@app.command(name="import")
def import_from(
    store: Place, file: Annotated[Path, typer.Argument(help="File of `ieat store export`.")]
) -> None:
    """Take over answers of a file; the store's own stay."""
    with _opened(store, replay=False, makes=True) as opened:
        read = asyncio.run(import_answers(opened, file))
    sys.stdout.write(f"{read.num_new} new answers, {read.num_known} known already\n")


@app.command()
def prune(
    store: Place,
    builds: Build = None,
    broken: Annotated[bool, typer.Option("--broken", help="Remove what cannot be read.")] = False,
    yes: Yes = False,
) -> None:
    """Remove the answers that no named build rests on, or those that are broken."""
    if bool(builds) == broken:
        raise ConfigError("ieat store prune needs either --build, once or more, or --broken")
    used = _keys_of(builds) if builds else set()
    with _opened(store, replay=not yes) as opened:
        if broken:
            unwanted = [found.key for found in find_broken(opened)]
            cost = ""
        else:
            unused = list(find_unused(opened, used))
            unwanted = [stored.key for stored in unused]
            cost = f", paid with {sum(stored.usd or 0.0 for stored in unused):.4f} USD"
        if yes:
            sys.stdout.write(f"removed {opened.remove(unwanted)} answers{cost}\n")
        else:
            sys.stdout.write(f"would remove {len(unwanted)} answers{cost}; do it with --yes\n")


@app.command()
def forget(
    store: Place,
    dialogues: Annotated[
        list[str] | None, typer.Option("--dialogue", help="Id of a dialogue: CORPUS/NAME.")
    ] = None,
    speaker: Annotated[
        str | None, typer.Option(help="CORPUS/NAME of somebody who speaks in the named builds.")
    ] = None,
    builds: Build = None,
    yes: Yes = False,
) -> None:
    """Withdraw dialogues: from the store, from the named builds, and from all builds to come."""
    # Loading Beam, which writes tables, takes a second that the other commands need not wait.
    from ieat.pipeline.output.withdrawal import dialogues_of_speaker, take_out

    gone = set(dialogues or ())
    if speaker is not None:
        corpus, _, name = speaker.partition("/")
        if not (builds and name):
            raise ConfigError("--speaker takes CORPUS/NAME and needs --build, once or more")
        gone |= {found for out in builds for found in dialogues_of_speaker(out, corpus, name)}
    if not gone:
        raise ConfigError("there is no dialogue to forget; give --dialogue, or another --speaker")
    if not yes:
        sys.stdout.write(f"would forget {', '.join(sorted(gone))}; do it with --yes\n")
        return
    with _opened(store, replay=False) as opened:
        # What is remembered first holds even if the rest is cut short.
        remember_withdrawn(store, gone)
        for out in builds or ():
            sys.stdout.write(f"took {take_out(out, gone)} rows out of {out}\n")
        num_removed = opened.remove(opened.forget_dialogues(gone))
    sys.stdout.write(
        f"forgot {len(gone)} dialogues: removed {num_removed} answers; no build on this store "
        "uses these dialogues any more\n"
    )


def _keys_of(builds: list[str]) -> set[str]:
    from ieat.pipeline.built_keys import keys_of_build

    return {key for out in builds for key in keys_of_build(out)}


@contextmanager
def _opened(place: str, *, replay: bool = True, makes: bool = False) -> Iterator[StoreUpkeep]:
    """Open a store; reading never changes it.

    Raises:
        ConfigError: There is none, unless it is made, or it fails.
    """
    if not (replay or makes):
        # Fails where there is none: looking after a store does not make one.
        open_for_upkeep(place, replay=True).close()
    opened = open_for_upkeep(place, replay=replay)
    try:
        yield opened
    except RunStopped as problem:
        raise ConfigError(problem.message) from None
    finally:
        opened.close()


def _stats_as_json(stats: StoreStats) -> str:
    return (
        json.dumps(
            {
                "dialogues": stats.num_dialogues,
                "broken": stats.num_broken,
                "answers": [
                    {"engine": engine, "asked": label, **vars(total)}
                    for (engine, label), total in stats.by_question.items()
                ],
            },
            indent=2,
        )
        + "\n"
    )


def _stats_as_text(stats: StoreStats) -> str:
    header = ("engine", "asked", "answers", "tokens in", "cached", "tokens out", "USD", "")
    rows = [header]
    for (engine, label), total in stats.by_question.items():
        outcomes = ", ".join(
            f"{count} {outcome}"
            for outcome, count in sorted(total.outcomes.items())
            if outcome != "answer"
        )
        unpriced = f"{total.unpriced} without a price" if total.unpriced else ""
        rows.append(
            (
                engine,
                label,
                f"{total.answers}",
                f"{total.prompt_tokens}",
                f"{total.cached_tokens}",
                f"{total.completion_tokens}",
                f"{total.usd:.4f}",
                "; ".join(part for part in (outcomes, unpriced) if part),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    lines = []
    for row in rows:
        named = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        counted = [cell.rjust(width) for cell, width in zip(row[2:7], widths[2:], strict=True)]
        lines.append("  ".join([*named, *counted, row[7]]).rstrip())
    num_answers = sum(total.answers for total in stats.by_question.values())
    usd = sum(total.usd for total in stats.by_question.values())
    lines.append(f"{num_answers} answers for {stats.num_dialogues} dialogues, {usd:.4f} USD")
    if stats.num_broken:
        lines.append(f"{stats.num_broken} answers cannot be read; see: ieat store verify")
    return "\n".join(lines) + "\n"
