import { describe, expect, it } from "vitest";
import { createAddressPolicy, parsePullAllow } from "../../src/sources/address-policy.js";

const publicOnly = createAddressPolicy({ hosts: [], networks: [] });
const allowing = (text: string) => createAddressPolicy(parsePullAllow(text)!);

describe("without an allowance an address", () => {
  it.each([
    ...["1.1.1.1", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.1.1", "100.63.255.255"],
    ...["100.128.0.0", "169.253.1.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:200::1"],
    ...["::ffff:1.1.1.1", "64:ff9b::101:101"],
  ])("that is public may be reached: %s", (address) => {
    expect(publicOnly.allows(address, "h")).toBe(true);
  });

  it.each([
    ["unspecified", ["0.0.0.0", "0.1.2.3", "::"]],
    ["loopback", ["127.0.0.1", "127.255.255.254", "::1"]],
    ["private", ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fec0::1"]],
    ["unique local", ["fc00::1", "fdff::1"]],
    ["link-local", ["169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1"]],
    ["of a carrier's NAT", ["100.64.0.1", "100.127.255.255"]],
    ["for metadata", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"]],
    ["multicast or reserved", ["224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "ff02::1", "4000::1"]],
    ["for documentation and measuring", ["192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "2001:db8::1"]],
    ["IPv4-mapped and not public", ["::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:a00:1", "::ffff:0:127.0.0.1"]],
    ["IPv4-compatible", ["::127.0.0.1", "::10.0.0.1", "::8.8.8.8"]],
    ["NAT64 of one that is not public", ["64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808"]],
    ["6to4 or Teredo", ["2002:7f00:1::1", "2002:808:808::1", "2001:0:4136:e378::1", "192.88.99.1"]],
    ["no address", ["", "localhost", "127.1", "1.2.3"]],
  ])("that is %s may not be reached", (_, addresses) => {
    expect(addresses.filter((address) => publicOnly.allows(address, "h"))).toEqual([]);
  });
});

describe("an allowance", () => {
  it("of a network opens its addresses in every form, and no others", () => {
    const policy = allowing("10.1.0.0/16, fd00:1::/32");
    const asked = ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd00:1:ff::1", "fd00:2::1", "10.2.0.1", "::1"];
    expect(asked.filter((address) => policy.allows(address, "h"))).toEqual(asked.slice(0, 4));
  });

  it("of all of IPv6 opens nothing of IPv4, and the other way round", () => {
    expect(allowing("::/0").allows("10.0.0.1", "h")).toBe(false);
    expect(allowing("::/0").allows("::1", "h")).toBe(true);
    expect(allowing("0.0.0.0/0").allows("::1", "h")).toBe(false);
    expect(allowing("0.0.0.0/0").allows("::ffff:10.0.0.1", "h")).toBe(true);
  });

  it("of a host opens whatever address it has, with or without a dot at its end, and no host below it", () => {
    const policy = allowing("Files.Example.com");
    expect(policy.allows("10.0.0.1", "files.example.com")).toBe(true);
    expect(policy.allows("10.0.0.1", "files.example.com.")).toBe(true);
    expect(policy.allows("10.0.0.1", "a.files.example.com")).toBe(false);
    expect(policy.allows("10.0.0.1", "example.com")).toBe(false);
  });
});
