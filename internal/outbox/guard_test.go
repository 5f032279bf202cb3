package outbox

import (
	"net"
	"strings"
	"testing"
)

// Each line is an address as the dialler reports it after name resolution, so
// this also stands for names that resolve to it, now or at the second look.
func TestOnlyPublicAddressesAreDialled(t *testing.T) {
	inside := strings.Fields(`
		0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.1.2.3 127.255.255.255
		169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.254 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1
		192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9
		224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
		:: ::1 ::2 ::127.0.0.1 ::8.8.8.8
		::ffff:0.0.0.0 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:192.168.1.1 ::ffff:172.20.0.1 ::ffff:100.64.0.1
		::ffff:0:127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b::192.168.0.1 64:ff9b:1::1 64:ff9b:1::8.8.8.8
		100::1 2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
		2002:7f00:1:: 2002:a00:1::1 2002:c0a8:101::1 2002:808:808::1 3fff::1 2620:4f:8000::1
		fc00::1 fd00:ec2::254 fdff::1 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff01::1 ff02::1 ff0e::1 4000::1 5f00::1 8000::1
		2606:4700::1%eth0`)
	if len(inside) < 60 {
		t.Fatalf("only %d forms", len(inside))
	}
	for _, ip := range inside {
		if err := checkDial(net.JoinHostPort(ip, "443")); err == nil {
			t.Errorf("%s would be dialled", ip)
		}
	}
	for _, ip := range strings.Fields(`1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1
		169.253.1.1 172.15.255.255 172.32.0.1 192.167.1.1 198.17.255.255 198.20.0.1 223.255.255.255
		2606:4700:4700::1111 2a00:1450::1 2003::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8`) {
		if err := checkDial(net.JoinHostPort(ip, "443")); err != nil {
			t.Errorf("%s is public: %v", ip, err)
		}
	}
	for _, bad := range []string{"", "example.com:443", "127.0.0.1", ":443", "1.1.1.1:99999"} {
		if checkDial(bad) == nil {
			t.Errorf("%q would be dialled", bad)
		}
	}
}
