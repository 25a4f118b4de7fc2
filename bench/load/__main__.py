"""A load for a node: calls that send real footage and speech, decode what they get, and judge it.

    python -m bench.load --sip 192.0.2.5:5060 --alias meet --calls 8 --protocol srtp --picture H264 --seconds 10
    python -m bench.load PLAN.json       a plan (`meeting.Plan`), driven by lines on the standard input

Driven: says `{"joined": …}`; answers `measure SECONDS` when it begins and when it ends, and `end` with a report after
hanging up. Every answer is a line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

import msgspec

from bench.load.meeting import Group, Meeting, Plan
from bench.load.traffic import Traffic


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def run(plan: Plan, orders: Any) -> None:
    """Join, do as told, judge."""
    told: dict[str, Any] = {}
    with Traffic() as traffic:
        meeting = Meeting(plan, traffic)
        meeting.join()
        say(joined=meeting.people)
        for order in orders:
            word, *arguments = order.split()
            if word == "end":
                break
            say(begins=word)
            told = meeting.measure(float(arguments[0]))
            say(measured=told)
        meeting.leave()
    if told:
        say(report=meeting.judged(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", nargs="?", type=Path)
    parser.add_argument("--sip", default="127.0.0.1:5060", metavar="ADDRESS:PORT")
    parser.add_argument("--web", default="", metavar="URL", help="of the node, for --protocol webrtc")
    parser.add_argument("--alias", default="meet.demo")
    parser.add_argument("--calls", type=int, default=2)
    parser.add_argument("--protocol", choices=("sip", "srtp", "webrtc"), default="sip")
    parser.add_argument("--picture", choices=("H264", "VP8", ""), default="H264")
    parser.add_argument("--sound", nargs="+", choices=("OPUS", "PCMU", "PCMA"), default=["OPUS"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--pictures", default="", help="folder for some of the received pictures")
    options = parser.parse_args()
    with contextlib.suppress(PermissionError):  # late packets of the load look like late packets of the node
        os.nice(-10)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    gc.disable()  # nothing here has cycles that grow, and a pause would be one of the load
    if options.plan:
        run(msgspec.json.decode(options.plan.read_bytes(), type=Plan), sys.stdin)
        return
    address, _, port = options.sip.rpartition(":")
    group = Group(calls=options.calls, protocol=options.protocol, picture=options.picture, sound=tuple(options.sound))
    plan = Plan(
        address=address, sip_port=int(port), web=options.web, alias=options.alias, groups=(group,),
        pictures=options.pictures,
    )  # fmt: skip
    run(plan, iter(["measure 3", f"measure {options.seconds}", "end"]))


if __name__ == "__main__":
    main()
