"""From the bytes of Exchanges to tables of features and outputs. Pure.

`batch.py` decodes many exchanges, `exchange.py` one, `handed.py` what a server integration has decoded itself.
Imports: the ground floor and `window`; inside, cells < rows < formats < llm < protocols < compiled < the files here.
To add: an inference protocol goes into `protocols/`, a body format into `formats/`.
"""
