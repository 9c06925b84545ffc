"""Pure functions on arrays: hash value, thermal state, sun, overhead, starts."""
