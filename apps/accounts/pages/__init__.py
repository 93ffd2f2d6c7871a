"""The tenant pages of this floor, and the shell that the pages of all floors stand in."""
