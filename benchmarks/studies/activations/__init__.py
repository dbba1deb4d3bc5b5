"""Why a network of sines works: each statement about SIREN as an experiment with fixed seeds.

One module a statement, each a function from a `Plan` to jobs; `study` runs them, `verdicts` and
`tables` say what came out, `plots` draws it. What theory predicts is in `sirencodec.theory`.
"""
