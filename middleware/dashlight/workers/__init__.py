"""How the processes of one machine count as one: a lease, a mailbox of panes, and files that one writes for all.

`member.py` is what a process does, `rendezvous.py` where they meet, `files.py` what lies there.
Imports: `watching`, `store` and below.
To add: a file that workers share is a line in `files.py`.
"""
