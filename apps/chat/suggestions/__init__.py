"""Canned replies that fit what a customer says."""
