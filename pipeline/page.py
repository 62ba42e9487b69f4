"""Lay out text for a terminal or a pipe: indented, in columns, never cut within a word."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

FIELD = 11
"""Columns of a field's name."""

MIN_ROOM = 12
"""Fewest columns that running text gets, however narrow the terminal is."""


def printable(text: str) -> str:
    """Replace control characters one for one: a transcript must not drive the terminal."""
    return "".join(
        char if char.isprintable() or char == " " else "\N{REPLACEMENT CHARACTER}" for char in text
    )


class Page:
    """Writes lines to a console, plain when it is not a terminal.

    Args:
        console: Where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self.width = console.width
        self.is_unicode = console.encoding.lower().startswith("utf")

    def cells(self, text: str) -> int:
        """Return the columns that a text takes; a Chinese character takes two."""
        return cell_len(printable(text))

    def skip(self) -> None:
        """Leave one line empty."""
        self._console.print()

    def heading(self, text: str) -> None:
        """Begin a section."""
        self.skip()
        self.write(text, style="bold")

    def write(self, text: str | Text, style: str = "", indent: int = 0) -> None:
        """Write running text, every line of it indented."""
        self._hang(Text(" " * indent), _styled(text, style))

    def command(self, purpose: str, command: str) -> None:
        """Write a command on one line, however long, so that it can be copied."""
        line = Text.assemble((purpose, "dim"), f" {printable(command)}")
        self._console.print(line, highlight=False, soft_wrap=True)

    def field(self, name: str, value: str | Text, lead: str = "") -> None:
        """Write a named value, indented; its lines stand below each other, after the lead."""
        head = Text.assemble((f"    {name:<{FIELD}}", "dim"), printable(lead))
        self._hang(head, _styled(value, ""))

    def row(
        self,
        columns: Sequence[tuple[str | Text, int]],
        rest: str | Text,
        style: str = "",
        below: Sequence[str] = (),
    ) -> None:
        """Write columns and then running text, which alone may take several lines.

        Args:
            columns: Text and width of each column; a negative width puts it to the right.
            rest: The running text.
            style: Style of the whole row.
            below: Remarks under the running text, a line each.
        """
        head = Text("  ")
        for text, width in columns:
            head.append_text(_fit(_styled(text, style), width))
            head.append("  ")
        self._hang(head, _styled(rest, style))
        for remark in below:
            self._hang(Text(" " * head.cell_len), _styled(remark, "dim"))

    def _hang(self, head: Text, body: Text) -> None:
        room = max(self.width - head.cell_len, MIN_ROOM)
        lines = body.wrap(self._console, room) if body.cell_len > room else [body]
        for number, line in enumerate(lines):
            lead = head if number == 0 else Text(" " * head.cell_len)
            whole = Text.assemble(lead, line)
            whole.rstrip()
            self._console.print(whole, highlight=False, soft_wrap=True)


def _styled(text: str | Text, style: str) -> Text:
    if isinstance(text, str):
        return Text(printable(text), style=style)
    styled = text.copy()
    styled.style = style or styled.style
    return styled


def _fit(text: Text, width: int) -> Text:
    fitted = text.copy()
    fitted.truncate(abs(width), overflow="ellipsis")
    gap = " " * (abs(width) - fitted.cell_len)
    return Text.assemble(gap, fitted) if width < 0 else Text.assemble(fitted, gap)
