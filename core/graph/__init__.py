"""The node engine: any frame, at any scale, of any length, in bounded memory.

Read in this order: `values` (what travels on wires), `node` (how a node is declared), `document` (what is saved),
`compile` (document to plan), `evaluate` (plan to pictures).
"""
