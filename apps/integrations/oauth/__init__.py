"""Grants of outside services (OAuth 2.0): asked for, renewed, given back.

``attempts`` keeps the state of a consent under way, ``connecting`` sends people to the service and takes what they come
back with, ``endpoint`` speaks with the service's token endpoint, ``access`` gives clients their tokens from the vault,
``trial`` tries what is not stored yet, ``renewing`` renews what lies idle, ``giving_back`` gives grants back,
``leftovers`` clears away what trials left. What a service does its own way is in its
definition (``providers/oauth.py``).
"""
