"""Feature switches: what the operator lets out, what an account chose, and the one place that everything asks.

A floor declares its features when it starts (``declare(Feature(…))``); code asks ``is_on("name", account)`` or calls
``require_feature("name", account)``, which raises FeatureOff. Every door answers that by itself: the API with a
problem, pages with a page or a toast that says why. See docs/features.md.
"""

from apps.accounts.features.asking import FeatureOff, is_on, require_feature
from apps.accounts.features.cache import forget_account
from apps.accounts.features.registry import Feature, Need, UnknownFeature, declare, feature, features
from apps.accounts.features.states import FeatureState, state_of, states_of

__all__ = [
    "Feature",
    "FeatureOff",
    "FeatureState",
    "Need",
    "UnknownFeature",
    "declare",
    "feature",
    "features",
    "forget_account",
    "is_on",
    "require_feature",
    "state_of",
    "states_of",
]
