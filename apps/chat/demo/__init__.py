"""The demo accounts' conversations."""
