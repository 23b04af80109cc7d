"""What the engine says of its models."""

from typing import Any

from .pinned import PINNED, Variant

DIMENSIONS = 128


def space(variant: Variant) -> str:
    """Return the name of the embedding space: templates of another one cannot be compared."""
    return f"sface_2021dec_{variant}_5pt"


def model_card(variant: Variant) -> dict[str, Any]:
    """Return the model card of a pair of models. The accuracies are their publisher's own figures."""
    detector, recogniser = PINNED[variant]
    block = variant is Variant.INT8BQ
    return {
        "name": space(variant),
        "dimensions": DIMENSIONS,
        "detector": {
            "name": detector.name,
            "sha256": detector.sha256,
            "licence": detector.licence,
            "published_accuracy": {"WIDER Face hard, average precision": 0.7504 if block else 0.7503},
        },
        "recogniser": {
            "name": recogniser.name,
            "sha256": recogniser.sha256,
            "licence": recogniser.licence,
            "published_accuracy": {"LFW, 10-fold": 0.9942 if block else 0.9940},
            "paper": "Zhong et al., SFace: Sigmoid-Constrained Hypersphere Loss (2021)",
        },
        "alignment": "similarity of five landmarks to the 112x112 ArcFace template",
        "source": "OpenCV Zoo",
        "loaded_through": "deepface 0.0.103",
        "limits": (
            "not tested by NIST; press photos are easier than a porch at night, "
            "and skewed by sex, age and origin"
        ),
    }
