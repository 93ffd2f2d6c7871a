"""A small app of sealed messages and their words, for the tests and the bench of word search.

It is written as an app of the product would be: two models, and a migration that ties them.
"""
