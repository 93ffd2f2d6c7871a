"""Google Maps: addresses and places."""
