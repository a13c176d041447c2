"""Ways to reach people. Each takes a message that is made already, and either delivers it or says why not; none of them decides what is told.

webhook   JSON to an address: plain, or in the shape that Slack or Teams expect
mail      SMTP, over TLS unless the server is on this machine
command   a program of the customer's own, the message as JSON on its input
"""
