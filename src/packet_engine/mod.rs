//! Packet simulation: event queue, ports, switches, hosts, path selection and transports.
