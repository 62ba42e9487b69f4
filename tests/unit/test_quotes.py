from hypothesis import given
from hypothesis import strategies as st

from ieat.pipeline.quotes import evidence_at, locate
from ieat.schemas.audio import AudioSpan
from ieat.schemas.history import HeardTurn
from ieat.schemas.transcript import Word


def test_a_verbatim_quote_is_found_with_its_code_point_offsets():
    assert locate("the bag", "I lost the bag today") == (7, 14)


def test_one_changed_letter_is_not_found():
    assert locate("the bog", "I lost the bag today") is None


def test_letter_case_counts():
    assert locate("The bag", "I lost the bag today") is None


def test_white_space_and_typographic_marks_do_not_count():
    text = "He said  ‘it’s fine’ — really…"
    assert locate("'it's fine' - really...", text) == (9, len(text))


def test_full_width_forms_are_the_same_in_chinese():
    assert locate("我妈住院了,怎么办", "昨天我妈住院了，怎么办呢") == (2, 11)


def test_combining_marks_stay_with_their_letter():
    text = "un cafe\u0301 noir"
    assert locate("café", text) == (3, 8)


def test_an_empty_quote_is_nowhere():
    assert locate("  ", "words") is None


@given(st.text(min_size=1, max_size=60), st.data())
def test_every_slice_of_letters_is_found_where_its_own_text_stands(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    found = locate(text[start:end], text)
    if found is not None:
        assert 0 <= found[0] < found[1] <= len(text)


@given(
    st.text("abc de", min_size=3, max_size=40).filter(lambda t: t == " ".join(t.split())), st.data()
)
def test_plain_slices_are_always_found_and_read_the_same(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = text[start:end].strip()
    if quote:
        first, last = locate(quote, text)
        assert text[first:last] == quote


def turn(**changes):
    fields = {
        "turn_index": 3,
        "speaker": "ann",
        "clean": "I lost the bag",
        "tagged": "I lost the bag",
        "events": (),
        "words": (),
        "audio": AudioSpan(uri="a.wav", start=10.0, end=14.0),
        "duration": 4.0,
        "cues": None,
    } | changes
    return HeardTurn(**fields)


def test_evidence_without_word_times_points_at_the_whole_turn():
    shown = evidence_at(turn(), 7, 14)
    assert (shown.quote, shown.audio, shown.is_word_timed) == (
        "the bag",
        AudioSpan(uri="a.wav", start=10.0, end=14.0),
        False,
    )


def test_evidence_with_word_times_points_at_its_words():
    words = (
        Word(text="I", start=0.0, end=0.2),
        Word(text="lost", start=0.3, end=0.6),
        Word(text="the", start=0.7, end=0.8),
        Word(text="bag", start=0.9, end=1.4),
    )
    shown = evidence_at(turn(words=words), 7, 14)
    assert shown.audio == AudioSpan(uri="a.wav", start=10.65, end=11.45)
    assert shown.is_word_timed


def test_evidence_of_a_text_only_turn_has_no_sound():
    assert evidence_at(turn(audio=None), 0, 1).audio is None
