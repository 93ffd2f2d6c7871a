"""Checks of the tree that no linter knows: migrations, templates, licences, locks. `make lint` runs them."""
