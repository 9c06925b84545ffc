"""Runs that nobody watches: the nightly job, its state from night to night, and what it does when things fail."""
