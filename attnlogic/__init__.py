"""attnlogic."""
