// A leaf-spine fabric in ns-3: pinned UDP flows at line rate, one way.
//
// Usage: leaf_spine LEAVES SPINES HOSTS_PER_LEAF GBPS DELAY_NS PAYLOAD HEADER FLOWS
// FLOWS has a line `src dst bytes spine` for each flow. A packet of `payload` data bytes takes
// `payload + header` bytes on every link. Prints one line of JSON, with the completion time of each flow in picoseconds.

#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"

#include <fstream>
#include <iostream>
#include <sys/resource.h>
#include <vector>

using namespace ns3;

namespace {

// IPv4 20, UDP 8, PPP 2: what ns-3 itself adds to a datagram on a point-to-point link.
constexpr uint32_t kNs3Header = 30;
constexpr uint16_t kFirstPort = 10000;

struct Shape {
    uint32_t leaves, spines, hostsPerLeaf;
    uint32_t Hosts() const { return leaves * hostsPerLeaf; }
};

struct Flow {
    uint32_t src, dst, spine;
    uint64_t left;      // data bytes still to send
    uint64_t undelivered;
    Time done;
};

Ipv4Address AddressOf(uint32_t host) { return Ipv4Address((10u << 24) + host + 1); }
uint32_t HostOf(Ipv4Address address) { return address.Get() - (10u << 24) - 1; }

// Next hop by arithmetic, as ns-3's own global routing needs seconds and hundreds of MiB to set up.
// Interfaces: 0 is the loopback; a leaf has its hosts first, then its spines; a spine has its leaves.
class LeafSpineRouting : public Ipv4RoutingProtocol {
  public:
    enum class Role { Host, Leaf, Spine };
    LeafSpineRouting(Shape shape, Role role, uint32_t index) : m_shape(shape), m_role(role), m_index(index) {}

    Ptr<Ipv4Route> RouteOutput(Ptr<Packet>, const Ipv4Header& header, Ptr<NetDevice>, Socket::SocketErrno& error) override {
        error = Socket::ERROR_NOTERROR;
        return Via(1, header.GetDestination());
    }

    bool RouteInput(Ptr<const Packet> packet, const Ipv4Header& header, Ptr<const NetDevice>, UnicastForwardCallback forward,
                    MulticastForwardCallback, LocalDeliverCallback deliver, ErrorCallback) override {
        if (m_role == Role::Host) {
            deliver(packet, header, 1);
            return true;
        }
        uint32_t dst = HostOf(header.GetDestination());
        uint32_t interface = 1 + dst / m_shape.hostsPerLeaf;
        if (m_role == Role::Leaf) {
            uint8_t ports[4]; // source and destination port, network order
            packet->CopyData(ports, 4);
            uint32_t spine = ((ports[2] << 8) | ports[3]) - kFirstPort;
            bool local = dst / m_shape.hostsPerLeaf == m_index;
            interface = 1 + (local ? dst % m_shape.hostsPerLeaf : m_shape.hostsPerLeaf + spine);
        }
        forward(Via(interface, header.GetDestination()), packet, header);
        return true;
    }

    void NotifyInterfaceUp(uint32_t) override {}
    void NotifyInterfaceDown(uint32_t) override {}
    void NotifyAddAddress(uint32_t, Ipv4InterfaceAddress) override {}
    void NotifyRemoveAddress(uint32_t, Ipv4InterfaceAddress) override {}
    void PrintRoutingTable(Ptr<OutputStreamWrapper>, Time::Unit) const override {}
    void SetIpv4(Ptr<Ipv4> ipv4) override { m_ipv4 = ipv4; }

  private:
    Ptr<Ipv4Route> Via(uint32_t interface, Ipv4Address dst) {
        if (m_routes.size() <= interface) m_routes.resize(interface + 1);
        Ptr<Ipv4Route>& route = m_routes[interface];
        if (!route) {
            route = Create<Ipv4Route>();
            route->SetGateway(Ipv4Address::GetZero());
            route->SetSource(m_role == Role::Host ? AddressOf(m_index) : Ipv4Address("127.0.0.1"));
            route->SetOutputDevice(m_ipv4->GetNetDevice(interface));
        }
        route->SetDestination(dst);
        return route;
    }

    Shape m_shape;
    Role m_role;
    uint32_t m_index;
    Ptr<Ipv4> m_ipv4;
    std::vector<Ptr<Ipv4Route>> m_routes;
};

uint64_t g_hops = 0;
Time g_last;

// Sends the flows of one host, a packet of each in turn, back to back at the rate of its link. As where flows come
// up one after the other, the first has its second packet listed before the others are there.
class Sender {
  public:
    Sender(std::vector<Flow>& flows, DataRate rate, uint32_t payload, uint32_t header)
        : m_flows(flows), m_rate(rate), m_payload(payload), m_header(header) {}

    void Add(uint32_t flow, Ptr<Socket> socket) { m_active.push_back({flow, socket}); }

    void SendNext() {
        if (m_active.empty()) return;
        m_turn %= m_active.size();
        auto [id, socket] = m_active[m_turn];
        Flow& flow = m_flows[id];
        uint32_t data = static_cast<uint32_t>(std::min<uint64_t>(m_payload, flow.left));
        flow.left -= data;
        uint8_t label[8];
        for (int i = 0; i < 4; i++) {
            label[i] = id >> (8 * i);
            label[4 + i] = data >> (8 * i);
        }
        Ptr<Packet> packet = Create<Packet>(label, 8);
        packet->AddPaddingAtEnd(data + m_header - kNs3Header - 8);
        socket->Send(packet);
        if (flow.left == 0) {
            m_active.erase(m_active.begin() + m_turn);
        } else if (m_started) {
            m_turn++;
        }
        m_started = true;
        Simulator::Schedule(m_rate.CalculateBytesTxTime(data + m_header), &Sender::SendNext, this);
    }

  private:
    std::vector<Flow>& m_flows;
    DataRate m_rate;
    uint32_t m_payload, m_header;
    std::vector<std::pair<uint32_t, Ptr<Socket>>> m_active;
    size_t m_turn = 0;
    bool m_started = false;
};

std::vector<Flow> g_flows;

void Receive(Ptr<Socket> socket) {
    while (Ptr<Packet> packet = socket->Recv()) {
        uint8_t label[8];
        packet->CopyData(label, 8);
        uint32_t id = 0, data = 0;
        for (int i = 0; i < 4; i++) {
            id |= static_cast<uint32_t>(label[i]) << (8 * i);
            data |= static_cast<uint32_t>(label[4 + i]) << (8 * i);
        }
        g_flows[id].undelivered -= data;
        g_last = Simulator::Now();
        if (g_flows[id].undelivered == 0) g_flows[id].done = g_last;
    }
}

void CountHop(Ptr<const Packet>) { g_hops++; }

} // namespace

int main(int argc, char** argv) {
    if (argc != 9) {
        std::cerr << "usage: leaf_spine LEAVES SPINES HOSTS_PER_LEAF GBPS DELAY_NS PAYLOAD HEADER FLOWS\n";
        return 2;
    }
    Shape shape{static_cast<uint32_t>(atoi(argv[1])), static_cast<uint32_t>(atoi(argv[2])), static_cast<uint32_t>(atoi(argv[3]))};
    DataRate rate(std::string(argv[4]) + "Gbps");
    uint32_t payload = atoi(argv[6]), header = atoi(argv[7]);
    Time::SetResolution(Time::PS);

    std::ifstream file(argv[8]);
    for (Flow flow; file >> flow.src >> flow.dst >> flow.left >> flow.spine;) {
        flow.undelivered = flow.left;
        g_flows.push_back(flow);
    }

    NodeContainer hosts, leaves, spines;
    hosts.Create(shape.Hosts());
    leaves.Create(shape.leaves);
    spines.Create(shape.spines);
    PointToPointHelper cable;
    cable.SetDeviceAttribute("DataRate", DataRateValue(rate));
    cable.SetDeviceAttribute("Mtu", UintegerValue(65000));
    cable.SetChannelAttribute("Delay", TimeValue(NanoSeconds(atoi(argv[5]))));
    cable.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("100000000p"));
    NetDeviceContainer devices;
    for (uint32_t h = 0; h < shape.Hosts(); h++) devices.Add(cable.Install(leaves.Get(h / shape.hostsPerLeaf), hosts.Get(h)));
    for (uint32_t l = 0; l < shape.leaves; l++)
        for (uint32_t s = 0; s < shape.spines; s++) devices.Add(cable.Install(leaves.Get(l), spines.Get(s)));
    for (uint32_t d = 0; d < devices.GetN(); d++)
        devices.Get(d)->TraceConnectWithoutContext("PhyTxEnd", MakeCallback(&CountHop));

    auto install = [&](NodeContainer nodes, LeafSpineRouting::Role role) {
        for (uint32_t i = 0; i < nodes.GetN(); i++) {
            Ptr<Node> node = nodes.Get(i);
            InternetStackHelper stack;
            stack.SetIpv6StackInstall(false);
            stack.Install(node);
            Ptr<Ipv4> ipv4 = node->GetObject<Ipv4>();
            ipv4->SetRoutingProtocol(Create<LeafSpineRouting>(shape, role, i));
            for (uint32_t d = 0; d < node->GetNDevices(); d++) {
                Ptr<NetDevice> device = node->GetDevice(d);
                if (DynamicCast<PointToPointNetDevice>(device) == nullptr) continue;
                uint32_t interface = ipv4->AddInterface(device);
                bool host = role == LeafSpineRouting::Role::Host;
                Ipv4Address address = host ? AddressOf(i) : Ipv4Address((172u << 24) + (static_cast<uint32_t>(role) << 20) + i + 1);
                ipv4->AddAddress(interface, Ipv4InterfaceAddress(address, Ipv4Mask("255.255.255.255")));
                ipv4->SetUp(interface);
            }
        }
    };
    install(hosts, LeafSpineRouting::Role::Host);
    install(leaves, LeafSpineRouting::Role::Leaf);
    install(spines, LeafSpineRouting::Role::Spine);

    TypeId udp = UdpSocketFactory::GetTypeId();
    std::vector<Sender> senders(shape.Hosts(), Sender(g_flows, rate, payload, header));
    for (uint32_t h = 0; h < shape.Hosts(); h++) {
        for (uint32_t s = 0; s < shape.spines; s++) {
            Ptr<Socket> sink = Socket::CreateSocket(hosts.Get(h), udp);
            sink->SetAttribute("RcvBufSize", UintegerValue(1u << 30));
            sink->Bind(InetSocketAddress(Ipv4Address::GetAny(), kFirstPort + s));
            sink->SetRecvCallback(MakeCallback(&Receive));
        }
    }
    for (uint32_t f = 0; f < g_flows.size(); f++) {
        Ptr<Socket> socket = Socket::CreateSocket(hosts.Get(g_flows[f].src), udp);
        socket->Bind();
        socket->Connect(InetSocketAddress(AddressOf(g_flows[f].dst), kFirstPort + g_flows[f].spine));
        senders[g_flows[f].src].Add(f, socket);
    }
    for (auto& sender : senders) Simulator::ScheduleNow(&Sender::SendNext, &sender);

    rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    Simulator::Run();
    getrusage(RUSAGE_SELF, &after);
    auto seconds = [](const rusage& u) { return u.ru_utime.tv_sec + u.ru_utime.tv_usec * 1e-6; };
    uint64_t undelivered = 0;
    for (const Flow& flow : g_flows) undelivered += flow.undelivered;
    std::cout << "{\"cct_us\": " << std::fixed << g_last.GetPicoSeconds() * 1e-6 << ", \"packet_hops\": " << g_hops
              << ", \"user_s\": " << seconds(after) - seconds(before) << ", \"setup_s\": " << seconds(before)
              << ", \"peak_mib\": " << after.ru_maxrss / 1024.0 << ", \"undelivered\": " << undelivered << ", \"fct_ps\": [";
    for (size_t f = 0; f < g_flows.size(); f++) std::cout << (f ? ", " : "") << g_flows[f].done.GetPicoSeconds();
    std::cout << "]}\n";
    return undelivered == 0 ? 0 : 1;
}
