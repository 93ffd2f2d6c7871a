/* The admin: what Unfold does not do. */
