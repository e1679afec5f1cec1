"""Examples that run: each is a script, and the page or picture that it writes lies beside it.

They use the package as a reader would, through what it exports; nothing else imports them.
"""
