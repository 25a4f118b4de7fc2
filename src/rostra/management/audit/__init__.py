"""The administrator log: who changed what, from where, and what else administrators should know (sheet 07).

Changes of the configuration get there by themselves (`following`). Anything else that belongs there is one call:
`noting.note`, or `noting.note_person` when somebody did it. Who acts is known from the request; elsewhere say it
with `actor.by`.
"""
