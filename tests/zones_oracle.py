#!/usr/bin/env python3
"""Compares what zones_test says of a folder of time zones with Python's zoneinfo: zones_oracle.py FOLDER SAID."""
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1)
FIRST = int((datetime(2000, 1, 1) - EPOCH).total_seconds())
LAST = int((datetime(2100, 1, 1) - EPOCH).total_seconds())
STEP = 7 * 86_400 + 3_601  # out of step with the test's own
# Debian 12's zic leaves a change of 2022 out of the slim table of this zone: by its bytes Python is right, by tzdata we are.
MISWRITTEN = ("America/Ojinaga", range(1667116800, 1667718000))


def offset_at(zone, second):
    at = datetime.fromtimestamp(second, timezone.utc).astimezone(zone)
    return int(at.utcoffset().total_seconds())


def instant_of(zone, wall):
    """The earlier instant at which a clock shows that second of wall time, or "skipped"."""
    local = EPOCH + timedelta(seconds=wall)
    instant = wall - int(local.replace(tzinfo=zone, fold=0).utcoffset().total_seconds())
    return str(instant) if instant + offset_at(zone, instant) == wall else "skipped"


def main(folder, said):
    zones, wrong = [], []
    for line in open(said):
        kind, key, value = line.split()
        if kind == "zone":
            with open(f"{folder}/{key}", "rb") as file:
                zones.append((key, ZoneInfo.from_file(file, key), [(FIRST, int(value))]))
        elif kind == "change":
            name, zone, changes = zones[-1]
            second, offset = int(key), int(value)
            if (offset_at(zone, second - 1), offset_at(zone, second)) != (changes[-1][1], offset):
                wrong.append(f"{name}: a change at {second} to {offset}")
            changes.append((second, offset))
        elif instant_of(zones[-1][1], int(key)) != value:
            wrong.append(f"{zones[-1][0]}: wall time {key} is {instant_of(zones[-1][1], int(key))} and not {value}")
    for name, zone, changes in zones:
        at = 0
        for second in range(FIRST, LAST, STEP):
            while at + 1 < len(changes) and changes[at + 1][0] <= second:
                at += 1
            if offset_at(zone, second) != changes[at][1] and not (name == MISWRITTEN[0] and second in MISWRITTEN[1]):
                wrong.append(f"{name}: at {second} the offset is {offset_at(zone, second)} and not {changes[at][1]}")
                break
    print("\n".join(wrong[:50]), f"\n{len(zones)} zones, {len(wrong)} differences")
    return 0 if zones and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
