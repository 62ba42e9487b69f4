"""How judging went."""

from dataclasses import dataclass

from ieat.pipeline.judging.scoring import Figure
from ieat.pipeline.spending.ledger import Spent
from ieat.schemas.score_rows import ScoreRow


@dataclass(frozen=True)
class JudgeReport:
    """How judging went."""

    file: str | None
    """The file of scores within the build; null when nothing was judged."""
    num_rows: int
    """Rows that there were to judge."""
    rows: tuple[ScoreRow, ...]
    """The scores, sorted by id."""
    figures: tuple[tuple[str, Figure], ...]
    """Figures by language, and of all languages where there are several."""
    spent: Spent
    """What was asked and what it cost."""
    stop_code: str | None
    """Why it ended early, as a code; null when it did not."""
    stop_message: str | None
    """The same as a sentence."""
    is_own_rubric: bool
    """Whether the rubric is ours, which is not the official one."""
