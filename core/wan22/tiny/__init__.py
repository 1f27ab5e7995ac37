"""`wan22-tiny`, the embedded model: what it is shown, what it is made of, how it is trained, how it is measured."""
