"""A stand-in for DaVinci Resolve's scripting, to build and test adapters without a licence. See README.md beside it."""
