//! The special ranges, written down a second time as the registries have them, with an address inside and the nearest
//! public addresses below and above: what the program's own table is measured against.

/// A range.
pub(crate) struct Range {
    pub(crate) network: &'static str,
    /// First, one inside, last.
    pub(crate) addresses: [&'static str; 3],
    /// The public neighbours, where there are some; else some public address.
    pub(crate) public: [&'static str; 2],
    /// Whether a policy can allow it.
    pub(crate) is_private: bool,
}

const fn range(network: &'static str, addresses: [&'static str; 3], public: [&'static str; 2]) -> Range {
    Range { network, addresses, public, is_private: false }
}

const fn private(network: &'static str, addresses: [&'static str; 3], public: [&'static str; 2]) -> Range {
    Range { network, addresses, public, is_private: true }
}

pub(crate) static V4: &[Range] = &[
    range("0.0.0.0/8", ["0.0.0.0", "0.1.2.3", "0.255.255.255"], ["1.0.0.0", "1.0.0.0"]),
    private("10.0.0.0/8", ["10.0.0.0", "10.1.2.3", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
    private(
        "100.64.0.0/10",
        ["100.64.0.0", "100.100.100.100", "100.127.255.255"],
        ["100.63.255.255", "100.128.0.0"],
    ),
    private("127.0.0.0/8", ["127.0.0.0", "127.0.0.1", "127.255.255.255"], ["126.255.255.255", "128.0.0.0"]),
    range(
        "169.254.0.0/16",
        ["169.254.0.0", "169.254.1.2", "169.254.255.255"],
        ["169.253.255.255", "169.255.0.0"],
    ),
    private(
        "172.16.0.0/12",
        ["172.16.0.0", "172.20.1.2", "172.31.255.255"],
        ["172.15.255.255", "172.32.0.0"],
    ),
    range("192.0.0.0/24", ["192.0.0.0", "192.0.0.170", "192.0.0.255"], ["191.255.255.255", "192.0.1.0"]),
    range("192.0.0.9/32", ["192.0.0.9", "192.0.0.9", "192.0.0.10"], ["191.255.255.255", "192.0.1.0"]),
    private("192.0.2.0/24", ["192.0.2.0", "192.0.2.77", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]),
    range(
        "192.31.196.0/24",
        ["192.31.196.0", "192.31.196.1", "192.31.196.255"],
        ["192.31.195.255", "192.31.197.0"],
    ),
    range(
        "192.52.193.0/24",
        ["192.52.193.0", "192.52.193.1", "192.52.193.255"],
        ["192.52.192.255", "192.52.194.0"],
    ),
    range(
        "192.88.99.0/24",
        ["192.88.99.0", "192.88.99.2", "192.88.99.255"],
        ["192.88.98.255", "192.88.100.0"],
    ),
    private(
        "192.168.0.0/16",
        ["192.168.0.0", "192.168.1.1", "192.168.255.255"],
        ["192.167.255.255", "192.169.0.0"],
    ),
    range(
        "192.175.48.0/24",
        ["192.175.48.0", "192.175.48.6", "192.175.48.255"],
        ["192.175.47.255", "192.175.49.0"],
    ),
    private(
        "198.18.0.0/15",
        ["198.18.0.0", "198.19.0.1", "198.19.255.255"],
        ["198.17.255.255", "198.20.0.0"],
    ),
    private(
        "198.51.100.0/24",
        ["198.51.100.0", "198.51.100.9", "198.51.100.255"],
        ["198.51.99.255", "198.51.101.0"],
    ),
    private(
        "203.0.113.0/24",
        ["203.0.113.0", "203.0.113.9", "203.0.113.255"],
        ["203.0.112.255", "203.0.114.0"],
    ),
    range(
        "224.0.0.0/4",
        ["224.0.0.0", "239.255.255.250", "239.255.255.255"],
        ["223.255.255.255", "223.255.255.255"],
    ),
    range(
        "240.0.0.0/4",
        ["240.0.0.0", "250.1.2.3", "255.255.255.255"],
        ["223.255.255.255", "223.255.255.255"],
    ),
];

/// In place of a neighbour, far from any global unicast.
const PUBLIC: [&str; 2] = ["2606:4700:4700::1111", "2a00:1450::1"];

pub(crate) static V6: &[Range] = &[
    range("::/128", ["::", "::", "::"], PUBLIC),
    private("::1/128", ["::1", "::1", "::1"], PUBLIC),
    range("::/96", ["::2", "::808:808", "::ffff:ffff"], PUBLIC),
    range("::ffff:0:0/96", ["::ffff:0:0", "::ffff:f001:203", "::ffff:ffff:ffff"], PUBLIC),
    range("::ffff:0:0:0/96", ["::ffff:0:0:0", "::ffff:0:808:808", "::ffff:0:ffff:ffff"], PUBLIC),
    // Not special itself, but what is inside is.
    range(
        "64:ff9b::/96",
        ["64:ff9b::", "64:ff9b::f000:1", "64:ff9b::ffff:ffff"],
        ["64:ff9b::808:808", "64:ff9b::101:101"],
    ),
    range(
        "64:ff9b:1::/48",
        ["64:ff9b:1::", "64:ff9b:1::808:808", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"],
        PUBLIC,
    ),
    range("100::/64", ["100::", "100::1", "100::ffff:ffff:ffff:ffff"], PUBLIC),
    range("100:0:0:1::/64", ["100:0:0:1::", "100:0:0:1::1", "100::1:ffff:ffff:ffff:ffff"], PUBLIC),
    range(
        "2001::/23",
        ["2001::", "2001:100::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"],
    ),
    range(
        "2001::/32",
        ["2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"],
        PUBLIC,
    ),
    range("2001:1::/32", ["2001:1::1", "2001:1::2", "2001:1::3"], PUBLIC),
    private("2001:2::/48", ["2001:2::", "2001:2::1", "2001:2:0:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("2001:3::/32", ["2001:3::", "2001:3::1", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range(
        "2001:4:112::/48",
        ["2001:4:112::", "2001:4:112::1", "2001:4:112:ffff:ffff:ffff:ffff:ffff"],
        PUBLIC,
    ),
    range("2001:10::/28", ["2001:10::", "2001:1a::1", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("2001:20::/28", ["2001:20::", "2001:2a::1", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("2001:30::/28", ["2001:30::", "2001:3a::1", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    private(
        "2001:db8::/32",
        ["2001:db8::", "2001:db8::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"],
    ),
    range(
        "2002::/16",
        ["2002::", "2002:808:808::1", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"],
    ),
    range(
        "2620:4f:8000::/48",
        ["2620:4f:8000::", "2620:4f:8000::1", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"],
        ["2620:4f:7fff:ffff:ffff:ffff:ffff:ffff", "2620:4f:8001::"],
    ),
    private(
        "3fff::/20",
        ["3fff::", "3fff:123::1", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"],
    ),
    range("5f00::/16", ["5f00::", "5f00::1", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    private("fc00::/7", ["fc00::", "fd12:3456:789a::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("fe80::/10", ["fe80::", "fe80::a9fe:a9fe", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("fec0::/10", ["fec0::", "fec0::1", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("ff00::/8", ["ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    // Reserved by the IETF: all that is around global unicast.
    range("::/8", ["0:0:0:0:0:fffe::", "0:1::", "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range(
        "64:ff9b::/32",
        ["64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "64:ff9b::1:0:0", "64:ff9b:2::"],
        ["64:ff9b::100:0", "64:ff9b::df00:0"],
    ),
    range("100::/8", ["100:0:0:2::", "100:1::", "1ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("200::/7", ["200::", "300::1", "3ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("400::/6", ["400::", "500::1", "7ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("800::/5", ["800::", "900::1", "fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("1000::/4", ["1000::", "1234::1", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], ["2000::", "2000::"]),
    range(
        "4000::/3",
        ["4000::", "5eff::1", "5fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
        ["3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::1"],
    ),
    range("6000::/3", ["6000::", "7000::1", "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("8000::/3", ["8000::", "9000::1", "9fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("a000::/3", ["a000::", "b000::1", "bfff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("c000::/3", ["c000::", "d000::1", "dfff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("e000::/4", ["e000::", "ee00::1", "efff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("f000::/5", ["f000::", "f700::1", "f7ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("f800::/6", ["f800::", "fa00::1", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
    range("fe00::/9", ["fe00::", "fe7f::1", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff"], PUBLIC),
];

/// What clouds answer themselves, with a public address beside each.
pub(crate) static METADATA: &[(&str, &str)] = &[
    ("169.254.169.254", "169.253.169.254"),
    ("169.254.170.2", "169.255.170.2"),
    ("169.254.170.23", "169.255.170.23"),
    ("169.254.0.23", "169.255.0.23"),
    ("169.254.42.42", "169.255.42.42"),
    ("100.100.100.200", "100.200.100.200"),
    ("168.63.129.16", "168.63.129.17"),
    ("192.0.0.192", "192.0.1.192"),
    ("fd00:ec2::254", "2600:ec2::254"),
    ("fd00:ec2::23", "2600:ec2::23"),
    ("fd20:ce::254", "2600:ce::254"),
    ("fd00:c1::a9fe:a9fe", "2600:c1::a9fe:a9fe"),
    ("fd00:a9fe:a9fe::1", "2600:a9fe:a9fe::1"),
    ("fd00:42::42", "2600:42::42"),
];
