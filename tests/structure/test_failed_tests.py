"""Which tests `script/test` runs once more."""

from failed_tests import failed_tests
import pytest

REPORT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="tests.a.test_b" name="test_good" file="tests/a/test_b.py"/>
<testcase classname="tests.a.test_b" name="test_bad[1 &lt; 2]" file="tests/a/test_b.py"><failure>no</failure></testcase>
<testcase classname="tests.a.test_b" name="test_skipped" file="tests/a/test_b.py"><skipped/></testcase>
<testcase classname="tests.a.test_b" name="test_set_up" file="tests/a/test_b.py"><error>no</error></testcase>
<testcase classname="tests.a.test_b" name="test_set_up" file="tests/a/test_b.py"><error>again</error></testcase>
</testsuite></testsuites>"""


def test_those_that_failed() -> None:
    """Each once, those that could not be set up as well, and none that passed or was left out."""
    assert failed_tests(REPORT) == ["tests/a/test_b.py::test_bad[1 < 2]", "tests/a/test_b.py::test_set_up"]
    assert failed_tests("<testsuites/>") == []


def test_one_that_cannot_be_named() -> None:
    """It is not passed over in silence."""
    with pytest.raises(ValueError, match="test_lost"):
        failed_tests('<testsuite><testcase name="test_lost"><failure/></testcase></testsuite>')
