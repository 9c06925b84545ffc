"""What plans would have earned over many days: policies, forecasts as they were known, settled against what came."""
