"""Plaintext twins of the product's tables, without row security: what it is measured against."""
