"""Presets say where every number comes from, and refuse what makes no sense."""

from __future__ import annotations

import dataclasses
import re
from importlib import resources

import pytest

from analysis.marketplace import Policy, World, load_policy, load_world
from analysis.marketplace.presets import from_dict

FILES = sorted(
    file
    for file in (resources.files("analysis.marketplace") / "presets").iterdir()
    if file.name.startswith(("policy_", "world_"))
)
NUMBER = re.compile(r"=\s*\[?\s*-?\d")
UNIT = re.compile(
    r"((business|calendar) )?(seconds|hours?|days|years|US cents|minor units|yen|won|odds|share"
    r"|times|log scale|log-odds|weight|local hour|power|exponent|concentration|sd|requests|orders"
    r"|sellers|buyers)\b"
)
SOURCE = re.compile(r"assumption|\bS\d+|\brows? \d+|definition|time zones?|fixed rate")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_number_has_its_unit_and_its_source(file):
    lines = file.read_text(encoding="utf-8").splitlines()
    numbers = [line for line in lines if NUMBER.search(line.split("#")[0])]
    assert len(numbers) >= 10
    for line in numbers:
        comment = line.partition("#")[2]
        unit, _, source = comment.strip().partition(";")
        assert UNIT.match(unit), f"no unit: {line}"
        assert SOURCE.search(source), f"no source: {line}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_source_that_is_named_is_explained_in_the_file(file):
    text = file.read_text(encoding="utf-8")
    body, _, sources = text.partition("# Sources")
    named = set(re.findall(r"\bS\d+\b", body))
    assert named <= set(re.findall(r"\bS\d+\b", sources))


def test_the_default_rules_are_those_of_the_help_pages():
    policy = load_policy("aliexpress")
    assert (policy.answer_deadline_hours, policy.silence) == (72, "auto_approve")
    assert (policy.review_hours, policy.unpaid_close_days) == (24, 20)


def test_a_rule_is_changed_by_replace_and_nothing_else_changes():
    policy = load_policy("aliexpress")
    shorter = dataclasses.replace(policy, answer_deadline_hours=48)
    assert shorter.answer_deadline_hours == 48
    assert dataclasses.replace(shorter, answer_deadline_hours=72) == policy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer_deadline_hours": 0}, r"answer_deadline_hours must be in \[1, 8760\], got 0"),
        ({"silence": "maybe"}, "silence must be one of auto_approve, .*'maybe'"),
        ({"review_methods": ("cheque",)}, "review_methods has unknown words: cheque"),
        ({"ship_deadline_shares": (0.5, 0.1, 0.1, 0.1)}, "must add up to 1, got 0.8"),
        ({"ship_deadline_days": (3.0, 7.0)}, "differ in length"),
        ({"max_requests": "many"}, "max_requests must be in .* got 'many'"),
    ],
)
def test_a_policy_out_of_range_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(load_policy("aliexpress"), **change)


def test_a_world_out_of_range_is_refused_by_name():
    world = load_world("aliexpress")
    with pytest.raises(ValueError, match=r"Payments.unpaid_share must be in \[0, 1\], got 1.2"):
        dataclasses.replace(world.payments, unpaid_share=1.2)
    with pytest.raises(ValueError, match="Goods.shares must have 9 values, got 2"):
        dataclasses.replace(world.goods, shares=(0.5, 0.5))
    rails = {"card": world.refunds.rails["card"]}
    with pytest.raises(ValueError, match="unknown words: .*wallet"):
        dataclasses.replace(world, refunds=dataclasses.replace(world.refunds, rails=rails))


@pytest.mark.parametrize("load", [load_policy, load_world])
def test_an_unknown_preset_is_refused_by_name(load):
    with pytest.raises(ValueError, match="must be one of .*aliexpress.*, got 'bazaar'"):
        load("bazaar")


@pytest.mark.parametrize(("kind", "load"), [(Policy, load_policy), (World, load_world)])
def test_keys_are_checked_with_their_path(kind, load):
    content = dataclasses.asdict(load("aliexpress"))
    assert from_dict(kind, content) == load("aliexpress")
    with pytest.raises(ValueError, match=f"{kind.__name__} has no colour"):
        from_dict(kind, content | {"colour": 1})
    with pytest.raises(ValueError, match=f"{kind.__name__} lacks name"):
        from_dict(kind, {key: content[key] for key in content if key != "name"})


def test_a_key_deep_down_is_named_with_its_path():
    content = dataclasses.asdict(load_world("aliexpress"))
    content["refunds"]["rails"]["card"] |= {"speed": 3}
    with pytest.raises(ValueError, match=r"World.refunds.rails.card has no speed"):
        from_dict(World, content)
    content = dataclasses.asdict(load_world("aliexpress"))
    content["payments"]["unpaid_share"] = "some"
    with pytest.raises(ValueError, match="World.payments.unpaid_share must be of type float"):
        from_dict(World, content)
