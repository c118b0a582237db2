"""How good the predictions of each model are, as their labels come.

Imports: `counting` and below.
To add: what is told of a model beside its measures is one file here that `model` composes.
"""
