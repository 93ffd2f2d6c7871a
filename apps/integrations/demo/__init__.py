"""What this floor adds to the demo."""
