"""What stands before and after the thinking in the text of an answer."""

from typing import NamedTuple

from ieat.pipeline.failures import ConfigError

CUSTOM = "custom:"
"""Beginning of a person's own tags; the opening and the closing one follow."""


class Tags(NamedTuple):
    """What stands around the thinking; the response follows at once."""

    profile: str
    """The tags as a person names them."""
    opening: str
    """Stands before the thinking."""
    closing: str
    """Stands between the thinking and the response."""

    def around(self, thinking: str) -> str:
        """Return the thinking with its tags."""
        return f"{self.opening}{thinking}{self.closing}"

    @property
    def marks(self) -> tuple[str, ...]:
        """The tags without white space around them, those that are empty left out."""
        return tuple(mark for tag in (self.opening, self.closing) if (mark := tag.strip()))


PROFILES = {
    # The layout of the chat templates of Qwen3 and of DeepSeek-R1.
    "think": Tags("think", "<think>\n", "\n</think>\n\n"),
    "thought": Tags("thought", "<thought>\n", "\n</thought>\n\n"),
    # OSUM-EChat's loader writes the text of an answer so, without white space.
    "osum": Tags("osum", "<think>", "<think end>"),
    "none": Tags("none", "", "\n\n"),
}
"""Tags by their name; the paper's own are not public."""


def parse_tags(text: str) -> Tags:
    r"""Read the name of a profile, or `custom:OPEN,CLOSE`, in which `\n` is a line end.

    Raises:
        ConfigError: There is no such profile, or a tag is missing.
    """
    if text in PROFILES:
        return PROFILES[text]
    if not text.startswith(CUSTOM):
        raise ConfigError(
            f"there are no thinking tags {text!r}; use {', '.join(PROFILES)} or custom:OPEN,CLOSE"
        )
    tags = [part.replace("\\n", "\n") for part in text.removeprefix(CUSTOM).split(",")]
    if len(tags) != 2 or not all(tag.strip() for tag in tags):
        raise ConfigError(
            f"{text!r} names no two tags; write custom:OPEN,CLOSE, such as custom:[[,]] "
            "(no commas within a tag)"
        )
    return Tags(text, *tags)
