"""What the engine says of its models."""

import pytest

from custom_components.familiar_faces.engine.model_card import model_card
from custom_components.familiar_faces.engine.pinned import PINNED, Variant


@pytest.mark.parametrize("variant", list(Variant))
def test_the_card_names_the_weights_that_are_loaded(variant: Variant) -> None:
    card = model_card(variant)
    assert card["detector"]["sha256"] == PINNED[variant].detector.sha256
    assert card["recogniser"]["sha256"] == PINNED[variant].recogniser.sha256
    assert (card["detector"]["licence"], card["recogniser"]["licence"]) == ("MIT", "Apache-2.0")
    assert card["dimensions"] == 128


def test_the_card_does_not_claim_too_much() -> None:
    assert "not tested by NIST" in model_card(Variant.INT8BQ)["limits"]


def test_templates_of_the_two_variants_are_not_mixed() -> None:
    assert model_card(Variant.INT8BQ)["name"] != model_card(Variant.FLOAT32)["name"]
