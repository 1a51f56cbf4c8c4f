import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.pipeline.templates import Delimiters, Reference, TemplateError, parse, render

SQUARE = Delimiters("[[", "]]")


def rendered(text, delimiters=None, **arguments):
    return render(parse(text, delimiters), {"Arguments": arguments})


def failure(text, **arguments):
    with pytest.raises(TemplateError) as caught:
        rendered(text, **arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{{ 1 }}b", "a1b"),
        ("a  {{- 1 -}}  \n b", "a1b"),
        ("a {{- /* a note */ -}} b", "ab"),
        ("{{ .Arguments.NAME }}", "ada"),
        ("{{ .Arguments.NONE }}", ""),
        ("{{ .Arguments.NONE.deeper }}", ""),
        ("{{ .Arguments.MAP.k }} {{ .Arguments.MAP }} {{ .Arguments.LIST }}", "v map[k:v] [1 a true]"),
        ("{{ if .Arguments.NAME }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ if .Arguments.NONE }}a{{ else if eq .Arguments.NAME `ada` }}b{{ else }}c{{ end }}", "b"),
        ("{{ range .Arguments.LIST }}<{{ . }}>{{ end }}", "<1><a><true>"),
        ("{{ range $i, $v := .Arguments.LIST }}{{ $i }}{{ $v }};{{ end }}", "01;1a;2true;"),
        ("{{ range $k, $v := .Arguments.MORE }}{{ $k }}={{ $v }} {{ end }}", "a=1 b=2 "),
        ("{{ range .Arguments.NONE }}x{{ else }}none{{ end }}", "none"),
        ("{{ range .Arguments.LIST }}{{ if eq . `a` }}{{ break }}{{ end }}{{ . }}{{ end }}", "1"),
        ("{{ range .Arguments.LIST }}{{ if eq . `a` }}{{ continue }}{{ end }}{{ . }}{{ end }}", "1true"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ("{{ with .Arguments.MAP }}{{ .k }}{{ $.Arguments.NAME }}{{ end }}", "vada"),
        ("{{ with $x := 5 }}{{ $x }}{{ end }}", "5"),
        ("{{ with .Arguments.NONE }}a{{ else }}b{{ end }}", "b"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"),
        ("{{ .Arguments.NAME | toUpper | printf `%s-%d` `x` | len }}", "17"),
        ("{{ index .Arguments `NAME` }}{{ index .Arguments.LIST 1 }}", "adaa"),
        ("{{ (index .Arguments `MAP`).k }}", "v"),
        ("{{ and 1 0 2 }}{{ or 0 `` `c` }}{{ not 1 }}", "0cfalse"),
        ("{{ or .Arguments.NAME (fail `never`) }}", "ada"),
        (
            "{{ eq 1 2 1 }} {{ ne `a` `b` }} {{ lt 1 2 }} {{ ge 2.5 2 }} {{ gt `b` `a` }} {{ le 1 0 }}",
            "true true true true true false",
        ),
        ("{{ eq .Arguments.NONE true }}{{ eq `true` true }}", "falsefalse"),
        ("{{ print 1 2 `a` 3 }}{{ println `x` 1 }}", "1 2a3x 1\n"),
        (
            "{{ 1.0 }} {{ 1e6 }} {{ 0.00001 }} {{ 2.50 }} {{ 0x1F }} {{ 3000000 }}",
            "1 1e+06 1e-05 2.5 31 3000000",
        ),
        ("{{ `a{{b}}` }}", "a{{b}}"),
        (r'{{ "a\"b\n\u00e9" }}', 'a"b\né'),
    ],
)
def test_templates_are_those_of_go(text, expected):
    values = {"NAME": "ada", "LIST": [1, "a", True], "MAP": {"k": "v"}, "MORE": {"b": 2, "a": 1}}
    assert rendered(text, **values) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hasPrefix `abc` `ab`", "true"),
        ("strings.HasPrefix `ab` `abc`", "true"),
        ("contains `abc` `b`", "true"),
        ("strings.Contains `b` `abc`", "true"),
        ("split `a,b` `,` | toJSON", '["a","b"]'),
        ("`a,b` | strings.Split `,` | toJSON", '["a","b"]'),
        ("trim `--a-` `-`", "a"),
        ("join (slice `a` 1 true) `#`", "a#1#true"),
        ("append 3 (list 1 2)", "[1 2 3]"),
        ("prepend 0 (list 1)", "[0 1]"),
        ("has (list 1 2) 2", "true"),
        ("has (dict `a` 1) `a`", "true"),
        ("keys (dict `b` 1 `a` 2)", "[a b]"),
        ("default `d` ``", "d"),
        ("`` | default `d`", "d"),
        ("`x` | default `d`", "x"),
        ("replaceAll `a` `o` `banana`", "bonono"),
        ("`a\nb` | indent 2", "  a\n  b"),
        ("strings.Indent 1 `>` `a\nb`", ">a\n>b"),
        ('quote `a"b`', '"a\\"b"'),
        ("squote `it's`", "'it''s'"),
        ("title `one two`", "One Two"),
        ("strings.Repeat 3 `ab`", "ababab"),
        ("toJSON (dict `a` (list 1 `b`))", '{"a":[1,"b"]}'),
        ("toYAML (dict `a` 1)", "a: 1\n"),
        ('(json `{"a": {"b": 2}}`).a.b', "2"),
        ("conv.ToInt `42`", "42"),
        ("conv.Bool `yes`", "true"),
        ("add 1 2 3", "6"),
        ("sub 5 2", "3"),
        ("mul 2 1.5", "3"),
        ("div 3 2", "1.5"),
        ("seq 1 3", "[1 2 3]"),
        ("ternary `a` `b` true", "a"),
        ("coalesce `` nil `c`", "c"),
        ("regexp.Match `^v[0-9]+$` `v12`", "true"),
        ("regexp.Find `[0-9]+` `ab12c3`", "12"),
        ("regexp.FindAll `[0-9]` `a1b2`", "[1 2]"),
        ("regexp.Replace `[0-9]+` `#` `a12b3`", "a#b#"),
        ("regexp.Split `,\\s*` `a, b,c` | toJSON", '["a","b","c"]'),
        ("base64.Encode `hi` | base64.Decode", "hi"),
        ("path.Base `/a/b.txt`", "b.txt"),
        (
            "printf `%05.1f|%-4s|%4d|%q|%t|%v|%%|%x` 2.25 `a` 7 `q` true (list 1) 255",
            '002.2|a   |   7|"q"|true|[1]|%|ff',
        ),
        ("printf `%d %s` `x`", "%!d(string=x) %!s(MISSING)"),
        ("printf `a` 1", "a%!(EXTRA int=1)"),
        ("uniq (list 1 1 2) | len", "2"),
        ("first (list 7 8)", "7"),
        ("strings.SnakeCase `oneTwo three`", "one_Two_three"),
        ("strings.CamelCase `one two`", "oneTwo"),
        ("urlquery `a b&c`", "a+b%26c"),
        ("trunc 2 `abc`", "ab"),
    ],
)
def test_functions_do_what_those_of_gomplate_do(text, expected):
    assert rendered("{{ " + text + " }}") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n{{ nope }}", "line 2: no function named 'nope'"),
        (
            "{{ getenv `HOME` }}",
            "line 1: function 'getenv' is not offered: a template knows its arguments and nothing else",
        ),
        ("{{ if }}{{ end }}", "line 1: a value is missing"),
        ("a\n{{ if true }}", "line 2: 'if' has no 'end'"),
        ("{{ end }}", "line 1: 'end' without a beginning"),
        ("{{ $x }}", "line 1: undefined variable $x"),
        ("{{ $x = 1 }}", "line 1: undefined variable $x"),
        ("{{ 1", "line 1: the action has no end, '}}'"),
        ("{{ (1 }}", "line 1: unexpected '}' in an action"),
        ("{{ ~ }}", "line 1: unexpected '~' in an action"),
        ("{{ 1 | 2 }}", "line 1: what follows '|' must be a function"),
        ("{{ .A 1 }}", "line 1: '.A' is no function and takes no arguments"),
        ("{{ break }}", "line 1: 'break' outside of a range"),
        ("{{ define `x` }}{{ end }}", "line 1: 'define' is not offered; write the text where it is used"),
        ("{{ index (list 1) 5 }}", "line 1: index: index 5 is out of range, there are 1"),
        ("{{ len 1 }}", "line 1: len: a int has no length"),
        ("{{ toUpper }}", "line 1: toUpper: takes 1 arguments, not 0"),
        ("{{ range 5000000 }}{{ end }}", "line 1: range over 5000000: more than 10000 times"),
        ("{{ range `text` }}{{ end }}", "line 1: range over a string; it needs a list or a map"),
        ("{{ fail `no` }}", "line 1: fail: no"),
        ("{{ required `give it` .Arguments.X }}", "line 1: required: give it"),
        ("{{ lt 1 `a` }}", "line 1: lt: a int and a string have no order"),
        ("{{ div 1 0 }}", "line 1: div: division by 0"),
        ("{{ `a`.b }}", "line 1: a string has no field 'b'"),
    ],
)
def test_an_error_names_line_and_cause(text, expected):
    assert failure(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ range seq 1 9999 }}{{ range seq 1 9999 }}x{{ end }}{{ end }}",
        "{{ strings.Repeat 1000000000 `abc` }}",
        "{{ $x := `aaaaaaaa` }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}",
        "{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ toJSON $x }}",
        "{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ flatten $x }}",
        "{{ $x := strings.Repeat 100000 `a` }}{{ replaceAll `a` $x $x }}",
        "{{ regexp.Match `(a+)+$` (print (strings.Repeat 5000 `a`) `b`) }}",
        "{{ printf `%999999999d` 1 }}",
        "{{ pow 9 999999999 }}",
        "{{" + "(" * 5000 + "1" + ")" * 5000 + "}}",
        "{{ if 1 }}" * 500 + "{{ end }}" * 500,
    ],
)
def test_no_template_runs_away(text):
    assert failure(text)


@given(st.text(alphabet=st.sampled_from("{}[]().|$:=\"'`\\-ab 1%\n/*"), max_size=40), st.booleans())
def test_whatever_is_written_is_a_text_or_an_error(text, within):
    with_action = "{{ " + text + " }}" if within else text
    with contextlib.suppress(TemplateError):
        assert isinstance(rendered(with_action), str)


def test_delimiters_are_what_the_step_type_says():
    assert rendered("[[ .Arguments.A ]] {{ x }}", SQUARE, A=1) == "1 {{ x }}"
    with pytest.raises(TemplateError, match="a delimiter is empty"):
        parse("x", Delimiters("", "]]"))


def known(text, value, **about):
    return Reference(text, value, **({"is_trusted": True} | about))


def test_a_reference_prints_as_it_is_written_and_is_decided_on_its_value():
    argument = known("${{ENV}}", "prod")
    text = "{{ .Arguments.E }}{{ if eq .Arguments.E `prod` }} {{ printf `<%s>` .Arguments.E }}{{ end }}"
    assert rendered(text, E=argument) == "${{ENV}} <${{ENV}}>"
    assert rendered("{{ toUpper .Arguments.E }}{{ len .Arguments.E }}", E=argument) == "PROD4"
    assert rendered("{{ if .Arguments.E }}a{{ else }}b{{ end }}", E=known("${{E}}", "")) == "b"


def test_a_reference_whose_value_is_not_known_prints_and_counts_as_a_text():
    later = known("${{LATER}}", None, is_trusted=False)
    assert rendered("{{ if .Arguments.E }}{{ .Arguments.E | quote }}{{ end }}", E=later) == '"${{LATER}}"'
    assert "'${{LATER}}', which is not known before the build runs" in failure(
        "{{ eq .Arguments.E 1 }}", E=later
    )


def test_the_text_of_a_stranger_never_becomes_part_of_a_template():
    message = known("${{CF_COMMIT_MESSAGE}}", "x\n  image: evil", is_trusted=False)
    assert rendered("{{ .Arguments.M }}", M=message) == "${{CF_COMMIT_MESSAGE}}"
    assert "comes from an event and has special characters" in failure(
        "{{ toUpper .Arguments.M }}", M=message
    )
    branch = known("${{CF_BRANCH}}", "feature/a-1", is_trusted=False)
    assert rendered("{{ toUpper .Arguments.B }}", B=branch) == "FEATURE/A-1"
