"""What this floor tells the floors above."""

from django.dispatch import Signal

# provider_event_received(integration, event): an outside service told of something, verified and stored (event is a
# ReceivedEvent). In the account's scope and in a transaction of its own, soon after the delivery. A receiver that
# raises undoes what it wrote, and is told again later; so is every other one: take an event's id twice.
provider_event_received = Signal()
