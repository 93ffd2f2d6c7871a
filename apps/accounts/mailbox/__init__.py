"""Mails of a local installation: kept in a folder and shown at /dev/mail/, since no server sends them."""
