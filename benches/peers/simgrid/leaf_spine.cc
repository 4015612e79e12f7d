// A leaf-spine fabric in SimGrid with a route of its own for every flow.
//
// Usage: leaf_spine LEAVES SPINES HOSTS_PER_LEAF BYTES_PER_SECOND DELAY_NS FLOWS
//
// FLOWS has lines `src dst bytes spine`; no two flows join the same pair, and all cross leaves. All
// start at zero. Prints one line `finish` per flow, in seconds, then one JSON object with times.

#include <simgrid/s4u.hpp>
#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace sg = simgrid::s4u;

struct Flow {
    unsigned src, dst;
    uint64_t bytes;
    unsigned spine;
};

static double UserSeconds() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_utime.tv_usec * 1e-6;
}

static double PeakMib() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024.0;
}

int main(int argc, char** argv) {
    sg::Engine engine(&argc, argv);
    if (argc != 7) {
        std::cerr << "usage: leaf_spine LEAVES SPINES HOSTS_PER_LEAF BYTES_PER_SECOND DELAY_NS FLOWS\n";
        return 2;
    }
    const unsigned leaves = std::atoi(argv[1]), spines = std::atoi(argv[2]), hosts_per_leaf = std::atoi(argv[3]);
    const double rate = std::atof(argv[4]), delay = std::atof(argv[5]) * 1e-9;
    std::vector<Flow> flows;
    std::ifstream file(argv[6]);
    for (Flow flow; file >> flow.src >> flow.dst >> flow.bytes >> flow.spine;) flows.push_back(flow);

    sg::NetZone* zone = sg::create_full_zone("fabric");
    auto link = [&](const std::string& name) {
        return zone->create_link(name, rate)->set_latency(delay)->seal();
    };
    std::vector<sg::Host*> hosts;
    std::vector<sg::Link*> up, down;
    for (unsigned h = 0; h < leaves * hosts_per_leaf; h++) {
        const std::string name = std::to_string(h);
        hosts.push_back(zone->create_host("host" + name, 1e9)->seal());
        up.push_back(link("up" + name));
        down.push_back(link("down" + name));
    }
    std::vector<std::vector<sg::Link*>> rising(leaves), falling(leaves);
    for (unsigned l = 0; l < leaves; l++)
        for (unsigned s = 0; s < spines; s++) {
            const std::string name = std::to_string(l) + "-" + std::to_string(s);
            rising[l].push_back(link("rising" + name));
            falling[l].push_back(link("falling" + name));
        }
    for (const Flow& flow : flows) {
        const unsigned from = flow.src / hosts_per_leaf, to = flow.dst / hosts_per_leaf;
        const std::vector<sg::LinkInRoute> route = {sg::LinkInRoute(up[flow.src]), sg::LinkInRoute(rising[from][flow.spine]),
                                                    sg::LinkInRoute(falling[to][flow.spine]), sg::LinkInRoute(down[flow.dst])};
        zone->add_route(hosts[flow.src]->get_netpoint(), hosts[flow.dst]->get_netpoint(), nullptr, nullptr, route, false);
    }
    zone->seal();

    std::vector<double> finish(flows.size());
    sg::Actor::create("starter", hosts[0], [&] {
        std::vector<sg::CommPtr> sent;
        for (const Flow& flow : flows) sent.push_back(sg::Comm::sendto_async(hosts[flow.src], hosts[flow.dst], flow.bytes));
        for (size_t f = 0; f < sent.size(); f++) {
            sent[f]->wait();
            finish[f] = sent[f]->get_finish_time();
        }
    });
    const double before = UserSeconds();
    engine.run();
    const double after = UserSeconds();
    for (double time : finish) std::printf("%.17g\n", time);
    std::printf("{\"user_s\": %.6f, \"setup_s\": %.6f, \"peak_mib\": %.1f}\n", after - before, before, PeakMib());
    return 0;
}
