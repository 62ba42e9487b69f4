"""The command that judges a finished build: ieat judge OUT --task t1 --judge openai:MODEL."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ieat.pipeline.config.judging import load_judge_config
from ieat.pipeline.judging.report import JudgeReport
from ieat.pipeline.run_report import describe_asked

STOPPED, UNAVAILABLE = 3, 4
"""Exit codes: stopped by a limit, engine unavailable."""


def judge(
    out: Annotated[str, typer.Argument(metavar="OUT", help="Folder of the build.")],
    task: Annotated[str, typer.Option(help="t1, t2 or t3.")],
    judge: Annotated[str | None, typer.Option(help="openai:MODEL that judges.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="YAML file with judge, judge_settings and the keys named as flags."),
    ] = None,
    rubric: Annotated[
        str | None, typer.Option(help="File with your copy of another rubric; else ours is used.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Base URL of the OpenAI-compatible endpoint.")
    ] = None,
    allow_self: Annotated[
        bool, typer.Option("--allow-self", help="Let a model judge what it wrote itself.")
    ] = False,
    store: Annotated[str | None, typer.Option(help="Folder of the response store.")] = None,
    limit: Annotated[int | None, typer.Option(help="Most rows to judge.")] = None,
    max_usd: Annotated[float | None, typer.Option(help="Most US dollars to spend.")] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Use stored answers only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Score the answers of a build by a rubric; writes the table `scores`, changes no row."""
    # Whatever asks a model takes a second to import.
    from ieat.pipeline.judging.judge import judge_build

    flags = {
        "output": out,
        "task": task,
        "judge": judge,
        "rubric": rubric,
        "allow_self": allow_self or None,
        "store": store,
        "limit": limit,
        "max_usd": max_usd,
        "replay": replay or None,
    }
    report = judge_build(load_judge_config(config, flags, base_url=base_url))
    if as_json:
        sys.stdout.write(json.dumps(_as_json(report), ensure_ascii=False, indent=2) + "\n")
    else:
        _show(report)
    if report.stop_code is not None:
        raise typer.Exit(UNAVAILABLE if report.stop_code == "engine_unavailable" else STOPPED)


def _show(report: JudgeReport) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("language", "dimension", "scored", "failed", "mean", "failures lowest"):
        table.add_column(name, justify="left" if name in ("language", "dimension") else "right")
    for language, figure in report.figures:
        table.add_row(
            language,
            figure.name,
            str(figure.num_scored),
            str(figure.num_failed),
            _number(figure.mean),
            _number(figure.mean_with_failures),
        )
    Console().print(table)
    lines = []
    if report.is_own_rubric:
        lines.append(
            "The rubric is ours, not the official one: figures compare with each other only. "
            "--rubric FILE takes your copy of the official one."
        )
    asked = describe_asked(report.spent)
    lines += [f"asked      {asked}"] if asked else []
    lines += [f"written    {report.file}"] if report.file else []
    if report.stop_message is not None:
        left = report.num_rows - len(report.rows)
        lines.append(
            f"stopped    {report.stop_message}; {left} of {report.num_rows} rows are left, the "
            "same command goes on"
        )
    sys.stdout.write("\n".join(lines) + "\n")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _as_json(report: JudgeReport) -> dict[str, Any]:
    return {
        "file": report.file,
        "num_rows": report.num_rows,
        "is_own_rubric": report.is_own_rubric,
        "stopped": report.stop_message,
        "figures": [
            {"language": language, **figure._asdict()} for language, figure in report.figures
        ],
    }
