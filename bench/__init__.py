"""What training costs, beside other ways to do the same: run it with ``python -m bench``."""
