"""The sandbox: emulated systems and a sample company on one loopback port; it shares no code with the clients.

server, listener, world   start and stop it; what stands behind the port     control    the door for tests
company                   Meridian, the sample company: read this first      shapes, books   plain data, sums over it
chart, fiscal, journals   its coding, calendar, bookkeeper (slips, business, oddities)      clock, tls
payables                  vendors, bills, checks and orders behind its AP journals
traffic, faults           the log of requests, and mishaps on purpose        acumatica/, anaplan/   the emulators
"""
