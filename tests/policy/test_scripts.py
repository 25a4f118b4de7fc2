"""The language of policy scripts: its functions, what it forbids, and the process it runs in (section 10)."""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.policy import functions, running, scripts
from rostra.policy.running import Sandbox
from rostra.policy.scripts import Runner

RUNNER = Runner()
HELLO = str(int.from_bytes(hashlib.sha256(b"hello").digest()))


def rendered(source: str, **variables: Any) -> str:
    done = RUNNER.run(source, variables)
    assert not done.problem, done.problem
    return done.output


EXAMPLES = [
    ("{{ 'a b'|pex_base64 }}", "YSBi"),
    ("{{ '+47 (22) 33-44'|pex_clean_phone_number }}", "+47223344"),
    ("{{ 'hello'|pex_hash }}", HELLO),
    ("{{ pex_hash('hello')|pex_tail(4) }}", HELLO[-4:]),
    ("{{ 'hello'|pex_head(2) }}", "he"),
    ("{{ 'hello'|pex_head(20) }}", "hello"),
    ("{{ 'hello'|pex_tail(2) }}", "lo"),
    ("{{ 'ab12'|pex_regex_replace('([a-z]+)([0-9]+)', '\\\\2-\\\\1') }}", "12-ab"),
    ("{{ 'hello'|pex_require_min_length(5) }}", "hello"),
    ("{{ 'hello'|pex_reverse }}", "olleh"),
    ("{{ 'hello'|pex_strlen }}", "5"),
    ("{{ {'a': none, 'b': true, 'c': [1, 'x']}|pex_to_json }}", '{"a": null, "b": true, "c": [1, "x"]}'),
    ("{{ {'pin':'1'} | pex_update({'pin':'2','allow_guests':False}) | pex_to_json }}",
     '{"pin": "2", "allow_guests": false}'),
    ("{% set d = {'pin':'1'} %}{% set e = d|pex_update({'pin':'2'}) %}{{ d.pin }}{{ e.pin }}", "12"),
    ("{{ {'a':[1,2]}|pex_update({'a':[3]})|pex_to_json }}", '{"a": [3]}'),
    ("{{ pex_in_subnet('10.47.0.1', ['10.44.0.0/16','10.47.0.0/16']) }}", "True"),
    ("{{ pex_in_subnet('10.47.0.1', ['10.44.0.0/16']) }}", "False"),
    ("{{ pex_in_subnet('2001:658::1', ['2001::/16']) }}", "True"),
    ("{{ '10.0.0.1'|pex_in_subnet(['2001::/16']) }}", "False"),
    ("{{ 'hello'|pex_md5 }}", "5d41402abc4b2a76b9719d911017c592"),
    ("{{ pex_regex_search('([a-z]+)@([a-z.]+)', 'bob@example.com')[1] }}", "example.com"),
    ("{{ pex_regex_search('x', 'abc') is none }}", "True"),
    ("{{ pex_find_first_match(['a1', 'b2'], 'b.') }}", "b2"),
    ("{{ ['a1', 'b2']|pex_find_first_match('c.') is none }}", "True"),
    ("{{ 'AAECAwQFBgcICQoLDA0ODw=='|pex_to_uuid }}", "00010203-0405-0607-0809-0a0b0c0d0e0f"),
    ("{{ 'a b/ø'|pex_url_encode }}", "a%20b%2F%C3%B8"),
    ("{{ 'a%20b%2F%C3%B8'|pex_url_decode }}", "a b/ø"),
    ("{{ 'https://eu.safelinks.protection.outlook.com/?url=https%3A%2F%2Fa.b%2Fc&data=x'|pex_safelinks_decode }}", "https://a.b/c"),
    ("{{ 'https://a.b/?url=x'|pex_safelinks_decode }}", "https://a.b/?url=x"),
    ("{{ 'https://urldefense.proofpoint.com/v2/url?u=https-3A__a.b_c&d=x'|pex_urldefense_decode }}", "https://a.b/c"),
    ("{{ 'https://urldefense.com/v3/__https://a.b/c*d__;Iw!!x$'|pex_urldefense_decode }}", "https://a.b/c#d"),
    ("{{ 'Ab'|lower }}{{ 'Ab'|upper }}{{ 'ab'|capitalize }}{{ ' a '|trim }}", "abABAba"),
    ("{{ none|default('x', true) }}{{ nothing|default('y') }}", "xy"),
    ("{{ [3,1]|first }}{{ [3,1]|last }}{{ [3,1]|join('-') }}{{ [3,1]|length }}", "313-12"),
    ("{{ '3'|int + '1.5'|float }}{{ -3|abs }}{{ 2.6|round|int }}{{ '%s!'|format('a') }}", "4.533a!"),
    ("{{ 'aXb'|replace('X', '-') }}{{ '<b>x</b>'|striptags }}{{ 'abcdef'|truncate(4, true, '', 0) }}", "a-bxabcd"),
    ("{% for n in range(3) %}{{ n }}{% endfor %}", "012"),
    ("{# said #}{% if 'sip:a'.startswith('sip:') %}{{ 'a@b'.split('@')[1] }}{% endif %}", "b"),
    ("{{ call_info.get('nothing', 'x') }}{{ call_info.location }}{{ call_info.nothing }}", "xOslo"),
    ("{{ '{0.__class__}'.format(1) }}{{ ''.__class__ }}", ""),
    ("{% if call_info.nothing %}a{% else %}b{% endif %}", "b"),
]  # fmt: skip


@pytest.mark.spec("POL-078", "POL-081", "POL-087", "POL-088", "POL-089", "POL-091")
@pytest.mark.parametrize(("source", "output"), EXAMPLES)
def test_examples(source: str, output: str) -> None:
    assert rendered(source, call_info={"location": "Oslo"}) == output


@pytest.mark.spec("POL-087")
@pytest.mark.parametrize("name", sorted(functions.OWN))
def test_each_name_is_filter_and_function(name: str) -> None:
    known = scripts.environment()
    assert known.filters[name] is known.globals[name]


def test_what_is_random() -> None:
    pin = rendered("{{ pex_random_pin(6) }}")
    assert re.fullmatch("[0-9]{6}", pin)
    assert {rendered("{{ pex_random_pin(9) }}") for _ in range(5)} != {rendered("{{ pex_random_pin(9) }}")}
    assert uuid.UUID(rendered("{{ pex_uuid4() }}")).version == 4
    assert re.fullmatch(r"2\d{3}-\d+-\d+ \d+:\d+:\d+\.\d+",
                        rendered("{% set t = pex_now('Europe/Oslo') %}{{ t.year }}-{{ t.month }}-{{ t.day }} "
                                 "{{ t.hour }}:{{ t.minute }}:{{ t.second }}.{{ t.microsecond }}"))  # fmt: skip


@pytest.mark.spec("POL-090")
def test_what_is_logged() -> None:
    done = RUNNER.run("{{ pex_debug_log('loc ', call_info.location) }}{}", {"call_info": {"location": "Oslo"}})
    assert (done.output, done.log) == ("{}", ("loc ,Oslo",))
    many = RUNNER.run("{% for n in range(1000) %}{{ pex_debug_log('x' * 9000) }}{% endfor %}", {})
    assert len(many.log) == scripts.LOGGED
    assert max(map(len, many.log)) <= 2000


FAILING = [
    ("{{ 'abc'|pex_require_min_length(5) }}", "pex_require_min_length"),
    ("{{ pex_in_subnet('10.0.0', ['10.0.0.0/8']) }}", "10.0.0"),
    ("{{ nothing.x }}", "undefined"),
    ("{{ nothing() }}", "undefined"),
    ("{{ 1/0 }}", "ZeroDivisionError"),
    ("{{ ''.__class__.__mro__ }}", "unsafe"),
    ("{{ call_info.__init__.__globals__ }}", "unsafe"),
    ("{{ pex_hash.__globals__ }}{{ pex_hash.__globals__.os }}", "undefined|unsafe"),
    ("{{ call_info.update({'a': 1}) }}", "unsafe"),
    ("{% include 'x' %}", "loader"),
    ("{% import 'x' as x %}", "loader"),
    ("{{ 'a'|map('upper') }}", "map"),
    ("{{ 'a'|attr('__class__') }}", "attr"),
    ("{{ 'a'|sort }}", "sort"),
    ("{% if %}", "line 1"),
    ("{{ 'x' * 10000000 }}", "256 KiB"),
    ("{% for a in range(99999) %}{{ a }}{% endfor %}", "256 KiB"),
    ("{% for a in range(9999999) %}{% endfor %}", "[Rr]ange"),
    ("{{ {'a': nothing}|pex_to_json }}", "TypeError"),
    ("{{ pex_random_pin(1000) }}", "100 digits"),
    ("{{ 'a'|pex_regex_replace('(', '') }}", "regular expression"),
    ("{{ pex_now('Mars/Base') }}", "Mars"),
]


@pytest.mark.spec("POL-078", "POL-080", "POL-083")
@pytest.mark.parametrize(("source", "problem"), FAILING)
def test_what_cannot_be(source: str, problem: str) -> None:
    done = RUNNER.run(source, {"call_info": {}})
    assert re.search(problem, done.problem), done
    assert done.output == ""


@pytest.mark.spec("POL-082")
@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("", ""),
        ("{{ service_config|pex_to_json }}", ""),
        ("{\n{% if x %}", "Line 2"),
        ("\n{{ x|map('a') }}", "Line 2: There is no filter map."),
        ("{{ x is oddly }}", "Line 1: There is no test oddly."),
        ("{% include 'a' %}", "Line 1: A script cannot include others."),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested"),
        ("{{ 9 ** 9 ** 9 ** 9 }}", ""),
    ],
)
def test_what_can_be_saved(source: str, problem: str) -> None:
    assert scripts.problem(source).startswith(problem) or problem in scripts.problem(source)
    assert bool(scripts.problem(source)) == bool(problem)


@given(st.text(alphabet="{}%#|.()[]'\"abc_ 0\n", max_size=60))
def test_any_text_is_a_script_or_not(source: str) -> None:
    if not scripts.problem(source):
        RUNNER.run(source, {"a": 1, "b": [1], "c": {"a": "b"}})


# ---- the process


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox()
    yield made
    await made.close()


@pytest.mark.spec("POL-079", "POL-083", "POL-086")
async def test_a_script_is_ended_and_others_go_on(sandbox: Sandbox) -> None:
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    stuck = asyncio.create_task(sandbox.run(endless, {}))
    for number in range(20):
        assert (await sandbox.run("{% set x = 1 %}{{ n }}{{ y }}", {"n": number})).output == str(number)
    done = await stuck
    assert "1 s of processor time" in done.problem
    assert (await sandbox.run("again", {})).output == "again"
    assert "memory" in (await sandbox.run("{{ 'a' * 10**10 }}", {})).problem
    assert (await sandbox.run("and again", {})).output == "and again"


async def test_variables_that_cannot_be_told_are_the_problem_of_that_run(sandbox: Sandbox) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for variables in ({"a": "\ud800"}, {"a": deep}):
        assert (await sandbox.run("x", variables)).problem == "the script could not be run"
    assert (await sandbox.run("here", {})).output == "here"


async def test_a_sandbox_knows_nothing_of_us(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTRA_ADMIN_PASSWORD", "secret")
    process = await running._begin()
    assert "secret" not in Path(f"/proc/{process.pid}/environ").read_text()  # noqa: ASYNC240 - at once
    await running._end(process)


async def test_a_process_that_dies_is_replaced(sandbox: Sandbox) -> None:
    await sandbox.warm()
    (process,) = sandbox._idle
    process.kill()
    await process.wait()
    assert (await sandbox.run("here", {})).output == "here"


async def test_a_script_waits_so_long_for_its_turn(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    await sandbox.warm()
    monkeypatch.setattr(running, "QUEUE", 0.05)
    for _ in range(running.PROCESSES):
        await sandbox._places.acquire()
    with pytest.raises(running.NoTurn):
        await sandbox.run("x", {})
    monkeypatch.setattr(running, "QUEUE", 60.0)
    monkeypatch.setattr(running, "QUEUED", 2)
    queued = [asyncio.create_task(sandbox.run("x", {})) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(running.NoTurn):  # at once
        await sandbox.run("x", {})
    sandbox._places.release()
    assert [(await one).output for one in queued] == ["x", "x"]
    gone = asyncio.create_task(sandbox.run("x", {}))
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert (await sandbox.run("x", {})).output == "x"
    assert sandbox._waiting == 0
