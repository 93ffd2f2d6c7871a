"""Finding conversations: by meaning, by their words, and by both fused."""
