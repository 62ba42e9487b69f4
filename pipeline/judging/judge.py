"""Judge the answers of a finished build, and write the table `scores` beside its rows."""

import asyncio
import hashlib
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import pyarrow as pa

from ieat.pipeline.answers import read_answer
from ieat.pipeline.built import Build
from ieat.pipeline.config.judging import JudgeConfig
from ieat.pipeline.failures import ConfigError, RecordError, RunStopped
from ieat.pipeline.judging.evidence import JudgedRow, judged_of
from ieat.pipeline.judging.report import JudgeReport
from ieat.pipeline.judging.rubric import OwnRubric, Rubric, describe_sampling, read_rubric
from ieat.pipeline.judging.scoring import (
    Figure,
    ScoresForm,
    figures,
    mean_score,
    read_dimensions,
)
from ieat.pipeline.output.files import BuildFolder
from ieat.pipeline.output.shards import open_writer
from ieat.pipeline.ports import AnsweringModel
from ieat.pipeline.run_state import RunState
from ieat.pipeline.spending.ledger import Budget, Ledger, sum_spent
from ieat.pipeline.steps import Worker
from ieat.pipeline.wiring import JudgeEngines, open_judge
from ieat.prompts.library import PromptLibrary, canonical_json, digest
from ieat.schemas.arrow import to_record
from ieat.schemas.dialogue import Language
from ieat.schemas.engine import Sampling
from ieat.schemas.humdial_rows import HumdialT1Row, HumdialT2Row, HumdialT3Row
from ieat.schemas.score_rows import SCORES, DimensionCell, JudgedTask, ScoreRow

ROW_TYPES: dict[JudgedTask, type[JudgedRow]] = {
    "t1": HumdialT1Row,
    "t2": HumdialT2Row,
    "t3": HumdialT3Row,
}
"""Rows that are judged, by task."""


class _Judging(NamedTuple):
    """What all questions have in common."""

    config: JudgeConfig
    model: AnsweringModel
    sampling: Sampling
    rubrics: dict[Language, Rubric]
    state: RunState
    name: str
    """Hash of judge, rubric and sampling: judges of different kinds keep apart."""


def judge_build(config: JudgeConfig) -> JudgeReport:
    """Judge the rows of a task and write their scores.

    The same judge, rubric and settings take the place of their own earlier scores; others stay.

    Raises:
        ConfigError: There is nothing to judge, the judge wrote it itself, or the rubric is not
            usable; found before anything is asked.
        EngineUnavailable: The judge cannot even be opened.
    """
    rubrics = _rubrics(config)
    rows = _rows_to_judge(config)
    state = RunState(("judge",), 1.0, Ledger(Budget(config.max_usd, config.max_tokens)))
    worker = Worker(lambda state: open_judge(config, state), state)
    try:
        engines: JudgeEngines = worker.engines
        judging = _Judging(
            config=config,
            model=engines.model,
            sampling=engines.sampling,
            rubrics=rubrics,
            state=state,
            name=_name_of(engines.model.engine_id, rubrics, engines.sampling),
        )
        scores = worker.wait_for(_judge_all(judging, rows))
    finally:
        worker.close()
    scores = sorted(scores, key=lambda score: score.row_id)
    stop = state.stop_reason
    return JudgeReport(
        file=_write(config, judging.name, scores) if scores else None,
        num_rows=len(rows),
        rows=tuple(scores),
        figures=_figures(scores, config.task),
        spent=sum_spent(state.ledger.snapshot().values()),
        stop_code=stop.code if stop else None,
        stop_message=stop.message if stop else None,
        is_own_rubric=config.rubric is None,
    )


def _rubrics(config: JudgeConfig) -> dict[Language, Rubric]:
    if config.rubric is not None:
        rubric: Rubric = read_rubric(config.rubric, config.task)
        return dict.fromkeys(Language, rubric)
    prompts = PromptLibrary({})
    return {language: OwnRubric(config.task, language, prompts) for language in Language}


def _rows_to_judge(config: JudgeConfig) -> list[JudgedRow]:
    table = f"humdial_{config.task}"
    found = Build(config.output).rows_without_clips(table, ROW_TYPES[config.task])
    rows = list(islice(found, config.limit))
    if not rows:
        raise ConfigError(
            f"{config.output} has no rows of {table}; build with humdial_tables that hold it"
        )
    own = [row.row_id for row in rows if _is_self(row, config)]
    if own and not config.allow_self:
        raise ConfigError(
            f"{config.judge} wrote {len(own)} of the {len(rows)} answers, such as {own[0]}; take "
            "another judge, or add --allow-self"
        )
    return rows


def _is_self(row: JudgedRow, config: JudgeConfig) -> bool:
    """Tell whether the judge's model wrote the answer, in whichever revision."""
    writer = (
        row.provenance.writer_id
        if isinstance(row, HumdialT3Row)
        else row.retrospection.retrospector_id
    )
    return writer is not None and writer.partition("@")[0] == config.judge


def _name_of(engine_id: str, rubrics: dict[Language, Rubric], sampling: Sampling) -> str:
    hashes = sorted({rubric.sha256 for rubric in rubrics.values()})
    told = canonical_json([engine_id, hashes, describe_sampling(sampling)])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


async def _judge_all(judging: _Judging, rows: Sequence[JudgedRow]) -> list[ScoreRow]:
    """Judge side by side; after a stop what has no score yet is left out."""

    async def one(row: JudgedRow) -> ScoreRow | None:
        try:
            return await _judge_one(judging, row)
        except RunStopped as stopped:
            judging.state.stop(stopped.code, stopped.message)
            return None

    return [score for score in await asyncio.gather(*map(one, rows)) if score is not None]


async def _judge_one(judging: _Judging, row: JudgedRow) -> ScoreRow:
    """Score one answer; a judge that is not understood is a failure, which is counted.

    Asked once: a second question for a nicer answer would change how the judge scores.
    """
    rubric = judging.rubrics[row.language]
    judged = judged_of(row)
    task = judging.config.task
    dimensions: tuple[DimensionCell, ...] = ()
    comment = failure = None
    keys: tuple[str, ...] = ()
    try:
        stored = await judging.model.ask(rubric.ask(judged, judging.sampling), row.dialogue_id)
        keys = (stored.key,)
        form = read_answer(stored.answer, ScoresForm)
        dimensions = read_dimensions(form, task)
        comment = form.overall_comment if isinstance(form.overall_comment, str) else None
    except RecordError as error:
        failure = error.code
    return ScoreRow(
        row_id=f"{row.row_id}:{judging.name}",
        table=f"humdial_{task}",
        judged_row_id=row.row_id,
        judged_sha256=digest(judged.answer),
        dialogue_id=row.dialogue_id,
        language=row.language,
        split=row.split,
        task=task,
        judge_id=judging.model.engine_id,
        is_self=_is_self(row, judging.config),
        rubric_id=rubric.rubric_id,
        rubric_sha256=rubric.sha256,
        is_own_rubric=rubric.is_own,
        sampling=describe_sampling(judging.sampling),
        dimensions=dimensions,
        mean=mean_score(dimensions),
        comment=comment,
        failure=failure,
        response_keys=keys,
    )


def _figures(scores: Sequence[ScoreRow], task: JudgedTask) -> tuple[tuple[str, Figure], ...]:
    languages = sorted({score.language for score in scores})
    found = [
        (language.value, figure)
        for language in languages
        for figure in figures([score for score in scores if score.language is language], task)
    ]
    if len(languages) > 1:
        found += [("all", figure) for figure in figures(scores, task)]
    return tuple(found)


def _write(config: JudgeConfig, name: str, scores: Sequence[ScoreRow]) -> str:
    """Write the scores of one judge as one file, whole or not at all."""
    file = f"{SCORES}/{config.task}-{name}.parquet"
    with BuildFolder(config.output).write(file) as stream, open_writer(stream, ScoreRow) as writer:
        records = [to_record(score) for score in scores]
        writer.write_table(pa.Table.from_pylist(records, schema=writer.schema))
    return file
