"""Agent memory: recalling facts by what is being talked about, and finding new ones in conversations."""
