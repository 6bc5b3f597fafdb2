import { BlockList, isIP } from "node:net";

/** Which addresses a pull may reach. Public ones always; anything else only where the operator named it. */
export interface AddressPolicy {
  /**
   * Whether a connection to `address` (an IP address as text) may be made for `host`, the name that the source gave. An
   * IPv6 form that only wraps an IPv4 address is judged by what it reaches.
   */
  allows(address: string, host: string): boolean;
}

/** What SLIPWAY_PULL_ALLOW names. */
export interface PullAllowance {
  /** In lower case and ASCII; a host named here may have any address. */
  readonly hosts: readonly string[];
  readonly networks: readonly Network[];
}

export interface Network {
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
  readonly prefix: number;
}

// The IANA registries of special-purpose addresses, and the one public address where a cloud keeps its metadata.
const closed = listNetworks([
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"],
  ...["203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"],
  // Of what is open in IPv6: protocol assignments with Teredo, documentation, 6to4.
  ...["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"],
]);
// Loopback, unique local, link-local, multicast and every other special range of IPv6 lie outside of it.
const openIpv6 = listNetworks(["2000::/3"]);

export function createAddressPolicy(allowance: PullAllowance): AddressPolicy {
  const hosts = new Set(allowance.hosts);
  const named = createNetworkList(allowance.networks);
  return {
    allows(address, host) {
      if (hosts.has(host.replace(/\.$/, ""))) return true;
      const [bare = ""] = address.split("%");
      const reached = unwrapIpv4(bare);
      return isPublic(reached) || contains(named, bare) || contains(named, reached);
    },
  };
}

/**
 * Host names, IP addresses and CIDRs with commas between them; undefined where one of them is something else (a port, a
 * scheme, a pattern).
 */
export function parsePullAllow(text: string): PullAllowance | undefined {
  const hosts: string[] = [];
  const networks: Network[] = [];
  for (const word of text.split(",").map((word) => word.trim().toLowerCase())) {
    const network = findNetwork(word);
    const host = findHost(word);
    if (network !== undefined) networks.push(network);
    else if (host !== undefined) hosts.push(host);
    else return undefined;
  }
  return { hosts, networks };
}

function findNetwork(word: string): Network | undefined {
  const [, address = "", bits] = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/.exec(word) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const prefix = Number(bits ?? most);
  return prefix <= most ? { family: version === 4 ? "ipv4" : "ipv6", address, prefix } : undefined;
}

/** A name as URLs hold it. One that a URL would read as an address (`127.1`, `0x7f.1`) is none. */
function findHost(word: string): string | undefined {
  if (!/^[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*$/u.test(word) || !URL.canParse(`http://${word}/`)) return undefined;
  const host = new URL(`http://${word}/`).hostname;
  return isIP(host) === 0 ? host : undefined;
}

function isPublic(address: string): boolean {
  if (isIP(address) === 0 || contains(closed, address)) return false;
  return isIP(address) === 4 || contains(openIpv6, address);
}

/** The IPv4 address behind an IPv4-mapped one (::ffff:0:0/96) or the well-known NAT64 prefix (64:ff9b::/96). */
function unwrapIpv4(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = readGroups(address);
  const [high = 0, low = 0] = groups.slice(6);
  const front = groups.slice(0, 6).join();
  if (front !== "0,0,0,0,0,65535" && front !== [0x64, 0xff9b, 0, 0, 0, 0].join()) return address;
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function readGroups(ipv6: string): readonly number[] {
  const [left = "", right] = new URL(`http://[${ipv6}]/`).hostname.slice(1, -1).split("::");
  const [head, tail] = [left, right ?? ""].map((half) => half.split(":").filter((group) => group !== ""));
  const groups = [...(head ?? []), ...Array(8 - (head?.length ?? 0) - (tail?.length ?? 0)).fill("0"), ...(tail ?? [])];
  return groups.map((group) => Number.parseInt(group, 16));
}

/** Two lists, for Node's own takes an IPv4 address for a part of ::/0. */
interface NetworkList {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

function contains(list: NetworkList, address: string): boolean {
  const family = isIP(address) === 4 ? "ipv4" : "ipv6";
  return isIP(address) !== 0 && list[family].check(address, family);
}

function listNetworks(words: readonly string[]): NetworkList {
  return createNetworkList(
    words.map((word) => {
      const [address = "", bits] = word.split("/");
      return { family: address.includes(":") ? "ipv6" : "ipv4", address, prefix: Number(bits) };
    }),
  );
}

function createNetworkList(networks: readonly Network[]): NetworkList {
  const list = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const { family, address, prefix } of networks) list[family].addSubnet(address, prefix, family);
  return list;
}
