"""The one place that says which version this is; the build, the wire and every recipe read it."""

VERSION = "0.1.0"
