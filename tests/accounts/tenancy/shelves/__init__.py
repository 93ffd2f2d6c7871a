"""A small app of two tenant tables that refer to each other, kept alive for the tests of tenancy.

It is written as an app of the product would be: models, and a migration that protects them.
"""
