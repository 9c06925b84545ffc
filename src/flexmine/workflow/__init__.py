"""What commands and services call: plan a case, plan with a given schedule, what an override costs, solve a file."""
