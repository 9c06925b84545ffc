"""The Pyomo model, one module per physical idea; letters as in docs/mathematics."""
