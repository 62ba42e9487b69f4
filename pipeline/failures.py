"""What can go wrong, each with a code: for a record, for an engine, for a person's input.

RecordError          this record only: it becomes a dead letter, the run goes on
  BadInput           the corpus' record cannot be read
  Filtered           the record is left out on purpose: counted, not failed
  BadAudio           the audio cannot be found, decoded or used
  SilentTurn         a turn that the corpus gives has no words
  UnusableAnswer     an engine's answer is refused, cut, broken or breaks a check
  NotInStore         replay, and the answer was never stored
RunStopped           the run ends, finished work is kept, the next run goes on
  EngineUnavailable  an engine gave up after its retries, or refuses us
ConfigError          a person's mistake, found before the run; one line, exit 2
"""

from typing import Any


class RecordError(Exception):
    """This record cannot be processed; the others can.

    Args:
        code: The reason, one of docs/codes.md.
        message: What, where, and how to mend it; no secrets.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.response_keys: tuple[str, ...] = ()
        """Keys of the stored answers that led to it, in the order in which they were asked."""

    def __reduce__(self) -> tuple[type["RecordError"], tuple[str, str], dict[str, Any]]:
        return type(self), (self.code, self.message), {"response_keys": self.response_keys}


class BadInput(RecordError):
    """The corpus' record cannot be read as a dialogue."""


class Filtered(RecordError):
    """The record is left out on purpose; it is counted as filtered, not as failed."""


class BadAudio(RecordError):
    """The audio cannot be found, decoded or used."""


class SilentTurn(RecordError):
    """A turn that the corpus gives has no words."""


class UnusableAnswer(RecordError):
    """An engine's answer is refused, cut, broken or breaks a check."""


class NotInStore(RecordError):
    """Replay, and the answer to this question was never stored."""

    def __init__(self, code: str = "not_in_store", message: str = "") -> None:
        super().__init__(code, message)


class RunStopped(Exception):
    """The run ends here; what is finished is kept, and the next run goes on from the store.

    Args:
        code: The reason, one of docs/codes.md.
        message: What happened and how to go on.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type["RunStopped"], tuple[str, str]]:
        return type(self), (self.code, self.message)


class EngineUnavailable(RunStopped):
    """An engine still fails after its own retries, or refuses us for good."""

    def __init__(self, message: str, code: str = "engine_unavailable") -> None:
        super().__init__(code, message)

    def __reduce__(self) -> tuple[type["RunStopped"], tuple[str, str]]:
        return type(self), (self.message, self.code)


class ConfigError(Exception):
    """A mistake in the configuration or the command line, found before the run."""


def unwritable(output: str, error: Exception) -> ConfigError:
    """Return the mistake of an output that cannot be written to."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return ConfigError(f"cannot write to {output}: {reason}; give another --output")
