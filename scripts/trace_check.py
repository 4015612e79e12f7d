#!/usr/bin/env python3
"""Decodes a trace with the classes of Perfetto's own schema, and asks its trace processor where that runs.

    pip install perfetto
    fabricsim trace DIR --point 0 --out trace.pftrace
    scripts/trace_check.py trace.pftrace

Without a network the trace processor cannot be fetched; the schema comes with the package.
"""

import collections
import sys


def decode(path):
    from google.protobuf.unknown_fields import UnknownFieldSet
    from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as schema

    trace = schema.Trace()
    with open(path, "rb") as file:
        trace.ParseFromString(file.read())
    tracks, depth, kinds = set(), collections.Counter(), collections.Counter()
    for packet in trace.packet:
        assert packet.trusted_packet_sequence_id == 1
        assert not len(UnknownFieldSet(packet))
        if packet.HasField("track_descriptor"):
            descriptor = packet.track_descriptor
            assert not descriptor.HasField("parent_uuid") or descriptor.parent_uuid in tracks
            tracks.add(descriptor.uuid)
        else:
            event = packet.track_event
            assert event.track_uuid in tracks, "an event on no track"
            kinds[schema.TrackEvent.Type.Name(event.type)] += 1
            depth[event.track_uuid] += {1: 1, 2: -1}.get(event.type, 0)
            assert depth[event.track_uuid] in (0, 1), "slices of a track overlap"
    assert not any(depth.values()), "a slice without an end"
    print(f"{len(tracks)} tracks, {dict(kinds)}")


def ask(path):
    try:
        from perfetto.trace_processor import TraceProcessor

        processor = TraceProcessor(trace=path)
    except Exception as error:  # It is fetched when it is first used.
        print(f"trace processor: skipped ({type(error).__name__})")
        return
    (slices,) = [row.n for row in processor.query("select count(*) as n from slice")]
    problems = [row.name for row in processor.query("select name from stats where severity = 'error' and value > 0")]
    print(f"trace processor: {slices} slices, problems: {problems or 'none'}")
    assert not problems
    processor.close()


if __name__ == "__main__":
    decode(sys.argv[1])
    ask(sys.argv[1])
