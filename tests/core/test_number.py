"""What a typed number is, or what is wrong with it; its digits never get into a repr."""

from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.idnumber import check_character
from kiosk.core.number import MAX_LENGTH, Number, NumberKind, NumberProblem, read

ID = "37060219610804301" + check_character("37060219610804301")
WITH_X = next(
    first + "X"
    for n in range(99)
    if check_character(first := f"370602198001010{n:02d}") == "X"
)  # fmt: skip
ADMISSION = "3706261100001"
LENGTHS = {13}


def test_identity_and_admission_numbers():
    assert read(ID, LENGTHS) == Number(NumberKind.IDENTITY, ID)
    assert read(ADMISSION, LENGTHS) == Number(NumberKind.ADMISSION, ADMISSION)
    assert read(f" {WITH_X[:6]} {WITH_X[6:].lower()}\t", LENGTHS).value == WITH_X
    assert read("３７０６２６１１００００１", LENGTHS).value == ADMISSION, "full-width digits"
    assert read("a00001", {6}).value == "A00001"


def test_each_fault_has_its_name():
    assert read("  ", LENGTHS) is NumberProblem.EMPTY
    assert read(ID[:-2], LENGTHS) is NumberProblem.LENGTH
    assert read("7" * (MAX_LENGTH + 1), {MAX_LENGTH + 1}) is NumberProblem.LENGTH
    assert read("370602196108043", LENGTHS) is NumberProblem.OLD_NUMBER
    assert read("37060219611304301X", LENGTHS) is NumberProblem.BIRTH_DATE
    assert read(ID[:5] + "Y" + ID[6:], LENGTHS) is NumberProblem.CHARACTERS
    wrong = ID[:16] + str((int(ID[16]) + 1) % 10) + ID[17]
    assert read(wrong, LENGTHS) is NumberProblem.CHECKSUM


def test_an_admission_number_may_be_as_long_as_an_identity_number():
    assert read("1" * 18, {18}) == Number(NumberKind.ADMISSION, "1" * 18)
    assert read(ID, {18}).kind is NumberKind.IDENTITY


@given(st.text(max_size=80), st.sets(st.integers(1, MAX_LENGTH), max_size=3))
def test_anything_typed_is_a_number_or_a_fault_and_reading_again_changes_nothing(text, lengths):
    found = read(text, lengths)
    if isinstance(found, Number):
        assert read(found.value, lengths) == found
        assert len(found.value) in {18, *lengths}


@given(st.from_regex(r"[0-9]{13}", fullmatch=True))
def test_the_number_itself_is_not_in_its_repr(text):
    assert text not in repr(read(text, LENGTHS)) + str(read(text, LENGTHS))
