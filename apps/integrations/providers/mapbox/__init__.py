"""Mapbox: addresses and places."""
