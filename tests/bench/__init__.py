"""``make bench``: the figures of docs/performance.md, each a ratio of two things measured in the same run."""
