"""What people look at: the terminal summary and report.html."""
