"""The commands around fingerprints of test sets: ieat guard build | show."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ieat.pipeline.guard import GuardFile, read_guard, write_guard
from ieat.pipeline.guard_sets import GuardBuilder

app = typer.Typer(
    no_args_is_help=True,
    help="Keep test sets out of training data, by fingerprints that hold no text of theirs.",
)


@app.command()
def build(
    sets: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES",
            help="Test sets: files or folders of .jsonl, .json, .parquet, .txt and audio; "
            "NAME=PATH names a set.",
        ),
    ],
    output: Annotated[
        Path, typer.Option(help="File to write; one that ends with .zst is compressed.")
    ] = Path("guard.json.zst"),
) -> None:
    """Make the fingerprints of test sets: hashes of texts, of stretches of them, and of sounds."""
    builder = GuardBuilder()
    for given in sets:
        builder.add(*_name_set(given))
    file = builder.file()
    write_guard(output, file)
    sys.stdout.write(_describe(file) + f"wrote {output}; name it as `guard` in a configuration\n")


@app.command()
def show(guard: Annotated[str, typer.Argument(help="File of `ieat guard build`.")]) -> None:
    """Show which test sets a file holds, and how much of them."""
    sys.stdout.write(_describe(read_guard(guard).file))


def _name_set(given: str) -> tuple[str, str]:
    name, mark, path = given.partition("=")
    if mark and name and path and not os.path.lexists(given):
        return name, path
    stem = Path(given.rstrip("/")).name
    return stem.rpartition(".")[0] or stem, given


def _describe(file: GuardFile) -> str:
    lines = []
    for found in file.sets:
        lines.append(
            f"{found.name}: {found.items} items of {found.files} files, {found.texts} texts "
            f"({found.short} more are too short to count), {found.sounds} sounds"
        )
        if found.missing:
            lines.append(
                f"{found.name}: {found.missing} sounds are named but not there, or cannot be "
                "decoded; give the folder that holds them too"
            )
    lines.append(
        f"{len(file.texts)} hashes of texts, {len(file.grams)} of stretches, {len(file.sounds)} of "
        f"sounds (normalization {file.normalization})"
    )
    return "\n".join(lines) + "\n"
