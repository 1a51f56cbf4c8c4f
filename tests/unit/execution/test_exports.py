import subprocess

import pytest

from headrace.execution.exports import SCRIPT, Export, parse_exports


@pytest.fixture
def cf_export(tmp_path):
    script, file = tmp_path / "cf_export", tmp_path / "exports"
    script.write_text(SCRIPT)

    def call(*words, **environment):
        done = subprocess.run(
            ["/bin/sh", script, *words],
            env={"CF_EXPORT_FILE": str(file), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return parse_exports(file.read_bytes() if file.exists() else b"")

    return call


def values(exports):
    return {name: export.value for name, export in exports.items()}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["A=1", "B=two"], {"A": "1", "B": "two"}),
        (["A=x=y=z"], {"A": "x=y=z"}),
        (["A= a 'b' \"c\" \\ $D "], {"A": " a 'b' \"c\" \\ $D "}),
        (["A="], {"A": ""}),
        (["A=first\nB=second"], {"A": "first"}),
        (["NAME"], {"NAME": "its value"}),
        (["UNSET"], {}),
        (["its value/with spaces"], {}),
        (["A=1", "A=2"], {"A": "2"}),
        ([], {}),
    ],
)
def test_each_form_exports_what_the_shell_left(cf_export, words, expected):
    assert values(cf_export(*words, NAME="its value")) == expected


@pytest.mark.parametrize("words", [["--mask", "A=1", "B=2"], ["A=1", "B=2", "--mask"]])
def test_the_mask_may_stand_first_or_last(cf_export, words):
    assert cf_export(*words) == {"A": Export("A", "1", masked=True), "B": Export("B", "2", masked=True)}


def test_a_name_that_was_masked_stays_masked(cf_export):
    cf_export("--mask", "A=1")
    assert cf_export("A=2") == {"A": Export("A", "2", masked=True)}


def test_lines_that_users_wrote_count_and_nonsense_does_not():
    assert values(parse_exports(b"A=1\nno equals\n=x\n1A=x\n\xff=x\nB=a=b\nA=3")) == {"B": "a=b", "A": "3"}
