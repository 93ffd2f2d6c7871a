"""What the vault adds to the demo."""
