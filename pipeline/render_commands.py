"""The command that writes a build in the form of a training code base: ieat render."""

import sys
from typing import Annotated

import typer


def render(
    out: Annotated[str, typer.Argument(metavar="OUT", help="Folder of a finished build.")],
    format: Annotated[str, typer.Option(help="swift, llamafactory, osum or hf.")],
    output: Annotated[str, typer.Option(help="Folder to write; local.")],
    mode: Annotated[
        str | None,
        typer.Option(
            help="explicit, injected, implicit, or mix:A,B,C with the share of each in that order. "
            "[default: explicit]",
            show_default=False,
        ),
    ] = None,
    thinking_tags: Annotated[
        str | None,
        typer.Option(
            help="think, thought, osum, none or custom:OPEN,CLOSE. [default: that of the format]",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        str, typer.Option(help="stage2, stage1, aqa or humdial_t1 to humdial_t4.")
    ] = "stage2",
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            help="Task of stage 1 to render; may be given several times. [default: all]",
            show_default=False,
        ),
    ] = None,
    all_rows: Annotated[
        bool, typer.Option("--all", help="Render rows that are not fit to train on, too.")
    ] = False,
    audio_root: Annotated[
        str, typer.Option(help="Stands before the path of every clip.", show_default=False)
    ] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier rendering.")
    ] = False,
) -> None:
    """Write the rows of a build in the form that a training code base reads."""
    from ieat.pipeline.render.rendering import RenderSettings
    from ieat.pipeline.render.rendering import render as render_build

    settings = RenderSettings(
        format=format,
        mode=mode,
        thinking_tags=thinking_tags,
        table=table,
        tasks=tuple(tasks or ()),
        all_rows=all_rows,
        audio_root=audio_root,
        overwrite=overwrite,
    )
    sys.stdout.write(render_build(out, output, settings).describe(output) + "\n")
