# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What leaves the machine. A capture proves something only if it would have seen a packet: each one
# begins and ends with a deliberate packet outside the tunnel, and both must be found in it.

# What may leave: the tunnels' own packets, neighbour discovery and multicast listener reports; and what the
# machine's own kernel says, with or without vpnrun, to a packet of the server for a client that has gone: ICMP,
# destination unreachable, from the machine to the server, with the server's own packet in it (IPv4 header
# at 8, UDP header at 28). No program can have put anything into that; packets_raw.sh and the like, whose
# programs can write ICMP, do not permit it.
CAPTURE_REFUSAL='(src host 192.168.77.2 and dst host 198.51.100.10 and icmp[0] = 3 and icmp[8] = 0x45 and
  icmp[17] = 17 and icmp[20:4] = 0xc633640a and icmp[24:4] = 0xc0a84d02 and icmp[28:2] = 1194)'
CAPTURE_ONE="((host 198.51.100.10 and udp port 1194) or $CAPTURE_REFUSAL)"
CAPTURE_TWO='(host 198.51.100.20 and tcp port 443)'
CAPTURE_QUIET='arp or (icmp6 and ip6[40] >= 133 and ip6[40] <= 137) or ip6 dst host ff02::16'

# capture_start [DEVICE]: what DEVICE (up0) sends, until capture_stop. The first control packet must
# be seen before it returns.
capture_start() {
  CAPTURE_DEVICE=${1:-up0}
  CAPTURE_FILE=$(mktemp --suffix=.pcap "$LAB/tmp/capture.XXXXXX")
  background "$CAPTURE_FILE.log" tcpdump --immediate-mode -Z root -U -n -i "$CAPTURE_DEVICE" -Q out \
    -w "$CAPTURE_FILE"
  CAPTURE_PID=$BACKGROUND
  wait_until 5 grep -q 'listening on' "$CAPTURE_FILE.log" || lab_die "the capture did not start"
  capture_control 47001
}

# capture_count FILTER: how many packets of the capture match.
capture_count() { tcpdump -n -r "$CAPTURE_FILE" "$1" 2>/dev/null | wc -l; }

capture_has() { [ "$(capture_count "$1")" -gt 0 ]; }

# capture_control PORT: one packet of the host itself, past every tunnel, to the web server; ends the
# lab if it is not captured.
capture_control() {
  # A newer socat ends with an error when the server refuses the packet. What counts is that it was sent.
  echo control | socat -u - "UDP4:203.0.113.10:$1,so-bindtodevice=$CAPTURE_DEVICE" 2>/dev/null || :
  wait_until 5 capture_has "udp dst port $1" || lab_die "the capture misses packets: port $1 was not seen"
}

# capture_stop: after the second control packet, which comes after everything else.
capture_stop() {
  capture_control 47002
  kill "$CAPTURE_PID"
  wait "$CAPTURE_PID" || return 1
}

# capture_stray [PERMITTED…]: prints the packets that had no business on the device: neither control
# packets nor what is permitted by the given filters.
capture_stray() {
  local filter="not (udp dst port 47001) and not (udp dst port 47002) and not ($CAPTURE_QUIET)" permitted
  for permitted; do
    filter+=" and not $permitted"
  done
  tcpdump -n -r "$CAPTURE_FILE" "$filter" 2>/dev/null
}
