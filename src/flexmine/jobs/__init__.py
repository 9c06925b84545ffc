"""Unattended runs: the nightly job, the state it carries from night to night, and what it does when something fails."""
