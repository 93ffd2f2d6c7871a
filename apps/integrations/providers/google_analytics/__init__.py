"""Google Analytics 4: events by the Measurement Protocol."""
