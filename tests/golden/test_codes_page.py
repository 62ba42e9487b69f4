"""docs/codes.md says what the code says."""

from collections.abc import Callable

from ieat.pipeline.codes import codes_page


def test_the_page_of_codes_lists_every_code(check_golden: Callable[[str, str], None]) -> None:
    check_golden("../../docs/codes.md", codes_page())
