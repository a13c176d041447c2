"""The Epicor emulator: one Kinetic instance over the books of the second sample company."""
