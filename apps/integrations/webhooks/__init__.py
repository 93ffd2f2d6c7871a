"""What outside services send by themselves: one address per connection, verified, stored once, handed on.

``views`` is the door, ``receiving`` verifies by the provider's ``webhook.py``, ``storing`` keeps each event once,
``handing_on`` tells the floors above by the signal ``provider_event_received``, ``refusals`` counts what is refused,
``retention`` empties what is old.
"""
